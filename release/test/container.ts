import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { must, Report, until } from './report.ts';
import { type Container, RootlessHost } from './rootless.ts';
import { run } from './run.ts';

/**
 * `sudo node release/test/container.ts IMAGE.tar AGENT-IMAGE.tar`: an ordinary user, who has no root in the container either, runs
 * both images: read-only root, one folder for data. Needs root only to become that user.
 */
const [image, agentImage] = parseArgs({ allowPositionals: true }).positionals;
if (image === undefined || agentImage === undefined) {
  throw new Error('needed: dist/rushlight-<version>-oci.tar and dist/rushlight-agent-<version>-oci.tar');
}
const settings = `
role = "hub"
[http]
port = 8080
tls_port = 8443
[[source]]
id = "cam0"
kind = "test"
width = 640
height = 360
fps = 10
[masters]
reserve_mb = 64
`;
const node = '/usr/lib/rushlight/bin/node';

/** The hub's API, asked from inside: the container has a network of its own that has only loopback. */
class Hub {
  readonly #container: Container;

  constructor(container: Container) {
    this.#container = container;
  }

  bytes(path: string, method = 'GET', body?: unknown): Buffer {
    const script = `
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      const token = require('fs').readFileSync('/data/owner-token', 'utf8').trim();
      fetch('https://127.0.0.1:8443${path}', {
        method: '${method}',
        headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
        ${body === undefined ? '' : `body: ${JSON.stringify(JSON.stringify(body))},`}
      }).then(async (answer) => {
        process.stdout.write(Buffer.from(await answer.arrayBuffer()).toString('base64'));
        process.exitCode = answer.ok ? 0 : 1;
      });`;
    const { status, stdout, stderr } = this.#container.try(node, '--no-warnings', '-e', script);
    const answer = Buffer.from(stdout, 'base64');
    must(status === 0, `${path}: ${answer.toString().slice(0, 500)}${stderr}`);
    return answer;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the API's answers are checked by the product's own tests
  json(path: string, method?: string, body?: unknown): any {
    return JSON.parse(this.bytes(path, method, body).toString());
  }

  takeState(id: string): string | undefined {
    return this.json('/api/takes').find((take: { id: string }) => take.id === id)?.state;
  }

  async picture(feed: string): Promise<void> {
    const picture = await until(`a JPEG of ${feed}`, () => this.bytes(`/stream/${feed}.jpg`));
    must(picture.subarray(0, 2).toString('hex') === 'ffd8', 'that is no JPEG');
  }
}

const report = new Report();
using host = new RootlessHost();

function startHub(): Container {
  for (const folder of ['data', 'settings']) mkdirSync(join(host.folder, folder));
  writeFileSync(join(host.folder, 'settings', 'rushlight.toml'), settings);
  run('chown', ['--recursive', '--reference', join(host.folder, 'hub'), host.folder]);
  return host.start('hub', {
    binds: {
      '/data': { source: 'data', writable: true },
      '/etc/rushlight': { source: 'settings', writable: false },
    },
  });
}

/** The light agent beside the hub, with a key of its own and the hub's certificate. */
function startAgent(hub: Container): Container {
  const folder = join(host.folder, 'agent-files');
  mkdirSync(folder);
  const key = hub.try(
    node,
    '/usr/lib/rushlight/supervisor/cli/rushlight.ts',
    'key',
    'create',
    'camera',
    'shed',
  );
  must(key.status === 0, key.stdout + key.stderr);
  const certificate = join(host.folder, 'data', 'tls-cert.pem');
  const names = run('openssl', ['x509', '-in', certificate, '-noout', '-ext', 'subjectAltName']);
  const name = /DNS:([^,\s]+)/.exec(names)?.[1] ?? 'rushlight.local';
  writeFileSync(join(folder, 'key'), key.stdout);
  writeFileSync(join(folder, 'hub.pem'), readFileSync(certificate));
  writeFileSync(join(folder, 'hosts'), `127.0.0.1 localhost ${name}\n`);
  run('chown', ['--recursive', '--reference', join(host.folder, 'hub'), folder]);
  return host.start('agent', {
    network: hub,
    binds: {
      '/run/agent': { source: 'agent-files', writable: false },
      '/etc/hosts': { source: 'agent-files/hosts', writable: false },
    },
    env: [
      `HUB=https://${name}:8443`,
      'FEED=shed',
      'KEY=/run/agent/key',
      'CA=/run/agent/hub.pem',
      'INPUT=-f lavfi -i testsrc2=size=320x240:rate=10',
    ],
  });
}

async function checkHub(container: Container, hub: Hub): Promise<void> {
  await report.check('it becomes healthy', async () => {
    await until(
      'the health check passes',
      () => container.try(node, '/usr/lib/rushlight/healthcheck.mjs').status === 0,
    );
  });
  await report.check('the page answers', () => {
    must(hub.bytes('/').toString().includes('<!doctype html>'), 'that is not the page');
  });
  await report.check('no process is root, and the root cannot be written', () => {
    const ids = container.try(node, '-p', 'process.getuid() + ":" + process.getgid()').stdout.trim();
    must(ids === '10001:10001', `it runs as ${ids}`);
    must(
      container.try(node, '-e', 'require("fs").writeFileSync("/usr/x", "")').status !== 0,
      'the root was written',
    );
  });
  await report.check('a picture', () => hub.picture('cam0'));
  await report.check('a take is recorded and verified', async () => {
    const { id } = hub.json('/api/takes', 'POST', {});
    await until('it records', () => hub.takeState(id) === 'recording');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    hub.bytes(`/api/takes/${id}/stop`, 'POST');
    await until('it is verified', () => hub.takeState(id) === 'verified');
  });
}

async function checkAgent(container: Container, hub: Hub): Promise<void> {
  await report.check("the light agent's container publishes a picture", async () => {
    await using agent = startAgent(container);
    try {
      await hub.picture('shed');
    } catch (error) {
      process.stdout.write(agent.log.slice(-3000));
      throw error;
    }
  });
}

await report.check('an ordinary user unpacks both images', () => {
  host.unpack(image, 'hub');
  host.unpack(agentImage, 'agent');
});
await report.check('no program in them gains rights', () => {
  for (const name of ['hub', 'agent']) {
    must(run('find', [join(host.folder, name, 'rootfs'), '-perm', '/6000']) === '', 'a file is set-uid');
  }
});
await using container = startHub();
try {
  const hub = new Hub(container);
  await checkHub(container, hub);
  await checkAgent(container, hub);
  await report.check('it ends on SIGTERM', async () => {
    const code = await container.end();
    must(code === 0, `it ended with ${code}`);
  });
  report.end();
} catch (error) {
  process.stdout.write(container.log.slice(-3000));
  throw error;
}
