import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { must, Report, until } from './report.ts';
import { run, tryRun } from './run.ts';

/**
 * `sudo node release/test/container.ts IMAGE.tar`: an ordinary user, who has no root in the container either, runs the image with
 * crun: read-only root, one folder for data. Needs root only to become that user.
 */
const { positionals } = parseArgs({ allowPositionals: true });
const image = positionals[0];
if (image === undefined) throw new Error('needed: the image, dist/rushlight-<version>-oci.tar');
const user = 60_123;
const work = mkdtempSync('/var/tmp/rushlight-container-test.');
const bundle = join(work, 'bundle');
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

/** A command as that user; crun wants the cgroups of today, which a host may have beside the old ones. */
const asUser = (...command: string[]): [string, string[]] => {
  const modern = existsSync('/sys/fs/cgroup/cgroup.procs');
  const cgroups = modern
    ? ''
    : 'umount --recursive /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && ';
  const script = `${cgroups}exec setpriv --reuid ${user} --regid ${user} --clear-groups env HOME=${work} "$@"`;
  return ['unshare', ['--mount', '--propagation', 'private', 'bash', '-ec', script, 'as-user', ...command]];
};
const crun = (...args: string[]) =>
  asUser('crun', '--cgroup-manager=disabled', '--root', join(work, 'state'), ...args);
const inside = (...command: string[]) =>
  tryRun(...crun('exec', '--user', '10001:10001', 'rushlight', ...command));
const node = '/usr/lib/rushlight/bin/node';

/** Asks the API from inside: the container has a network of its own that has only loopback. */
function api(path: string, method = 'GET', body?: unknown): Buffer {
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
  const { status, stdout, stderr } = inside(node, '--no-warnings', '-e', script);
  const answer = Buffer.from(stdout, 'base64');
  must(status === 0, `${path}: ${answer.toString().slice(0, 500)}${stderr}`);
  return answer;
}
const json = (path: string, method?: string, body?: unknown) =>
  JSON.parse(api(path, method, body).toString());
const takeOf = (id: string): { state: string } | undefined =>
  json('/api/takes').find((take: { id: string }) => take.id === id);

interface RuntimeConfig {
  root: { readonly?: boolean };
  process: { terminal: boolean; user: object; capabilities?: object; noNewPrivileges?: boolean };
  mounts: { destination: string; type: string; source: string; options?: string[] }[];
  linux: { namespaces: { type: string }[]; uidMappings: object[]; gidMappings: object[]; resources?: object };
}

/** What a runtime would be asked for: no root at all, read-only, one folder to write to. */
function tighten(file: string): void {
  const config: RuntimeConfig = JSON.parse(readFileSync(file, 'utf8'));
  must(JSON.stringify(config.process.user).includes('10001'), 'the image would run as root');
  config.root.readonly = true;
  config.process.terminal = false;
  config.process.noNewPrivileges = true;
  config.process.capabilities = {};
  const mapping = [{ containerID: 10001, hostID: user, size: 1 }];
  config.linux.uidMappings = mapping;
  config.linux.gidMappings = mapping;
  delete config.linux.resources;
  config.linux.namespaces = [
    ...config.linux.namespaces.filter(({ type }) => type !== 'network'),
    { type: 'network' },
  ];
  config.mounts = [
    ...config.mounts
      .filter(({ destination }) => destination !== '/data' && destination !== '/etc/resolv.conf')
      .map((one) => ({ ...one, options: (one.options ?? []).filter((word) => !/^[ug]id=/.test(word)) })),
    { destination: '/data', type: 'bind', source: join(work, 'data'), options: ['rbind', 'rw'] },
    { destination: '/etc/rushlight', type: 'bind', source: join(work, 'settings'), options: ['rbind', 'ro'] },
  ];
  writeFileSync(file, JSON.stringify(config));
}

/** Leaves in the layout the image of this machine's processor alone, as a runtime that fetches it would. Returns its tag. */
function keepOwnProcessor(layout: string): string {
  const read = (file: string) => JSON.parse(readFileSync(join(layout, file), 'utf8'));
  const [named] = read('index.json').manifests;
  const own = process.arch === 'x64' ? 'amd64' : process.arch;
  const { manifests } = read(join('blobs', ...named.digest.split(':')));
  const image = manifests.find(
    (one: { platform: { architecture: string } }) => one.platform.architecture === own,
  );
  must(image !== undefined, `there is no image for ${own}`);
  const index = { schemaVersion: 2, manifests: [{ ...image, annotations: named.annotations }] };
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  return named.annotations['org.opencontainers.image.ref.name'];
}

const report = new Report();
async function main(): Promise<void> {
  for (const folder of ['data', 'settings', 'layout']) mkdirSync(join(work, folder));
  writeFileSync(join(work, 'settings', 'rushlight.toml'), settings);
  run('tar', ['--extract', '--file', image ?? '', '--directory', join(work, 'layout')]);
  run('chown', ['--recursive', `${user}:${user}`, work]);
  const tag = keepOwnProcessor(join(work, 'layout'));
  await report.check('an ordinary user unpacks the image', () => {
    run(...asUser('umoci', 'unpack', '--rootless', '--image', `${join(work, 'layout')}:${tag}`, bundle));
    tighten(join(bundle, 'config.json'));
  });
  await report.check('no program in it gains rights', () => {
    must(run('find', [join(bundle, 'rootfs'), '-perm', '/6000']) === '', 'a file is set-uid');
  });
  const [program, args] = crun('run', '--bundle', bundle, 'rushlight');
  const container = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let log = '';
  container.stdout.on('data', (part) => (log += String(part)));
  try {
    await report.check('it becomes healthy', async () => {
      await until(
        'the health check passes',
        () => inside(node, '/usr/lib/rushlight/healthcheck.mjs').status === 0,
      );
    });
    await report.check('the page answers', () => {
      must(api('/').toString().includes('<!doctype html>'), 'that is not the page');
    });
    await report.check('no process is root, and the root cannot be written', () => {
      const ids = inside(node, '-p', 'process.getuid() + ":" + process.getgid()').stdout.trim();
      must(ids === '10001:10001', `it runs as ${ids}`);
      must(
        inside(node, '-e', 'require("fs").writeFileSync("/usr/x", "")').status !== 0,
        'the root was written',
      );
    });
    await report.check('a picture', async () => {
      const picture = await until('a JPEG', () => api('/stream/cam0.jpg'));
      must(picture.subarray(0, 2).toString('hex') === 'ffd8', 'that is no JPEG');
    });
    await report.check('a take is recorded and verified', async () => {
      const { id } = json('/api/takes', 'POST', {});
      await until('it records', () => takeOf(id)?.state === 'recording');
      await new Promise((resolve) => setTimeout(resolve, 2000));
      api(`/api/takes/${id}/stop`, 'POST');
      await until('it is verified', () => takeOf(id)?.state === 'verified', 120_000);
    });
    await report.check('it ends on SIGTERM', async () => {
      const ended = once(container, 'exit');
      run(...crun('kill', 'rushlight', 'TERM'));
      const patience = setTimeout(() => container.kill('SIGKILL'), 30_000);
      const [code] = await ended;
      clearTimeout(patience);
      must(code === 0, `it ended with ${code}`);
    });
    report.end();
  } catch (error) {
    process.stdout.write(log.slice(-3000));
    throw error;
  } finally {
    if (container.exitCode === null) tryRun(...crun('delete', '--force', 'rushlight'));
  }
}

try {
  await main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
