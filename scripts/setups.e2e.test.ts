import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Feed, Status } from '../supervisor/contract/index.ts';
import { netnsObstacle, type TestHost, TestLan } from '../supervisor/testing/netns.ts';
import { root } from './testing/appliance-process.ts';
import { type ComposeService, composeServices } from './testing/compose.ts';
import { Machine } from './testing/machine.ts';

// There is no container daemon in a test. The program of the tree runs in its place, on a machine of its own (a network
// namespace, as these setups use the host's network), with the settings, variables and ports of the setup's files, and
// with what the compose file takes away: no capabilities, no new privileges, a root that can only be read.

const obstacle = await netnsObstacle();
const title = `setups${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;
const setups = join(root, 'setups');
const read = (name: string) => readFile(join(setups, name), 'utf8');

/** One camera that every machine has. */
const testPicture = '\n[[source]]\nid = "cam0"\nkind = "test"\nwidth = 320\nheight = 180\nfps = 10\n';

/** The package serves 80 and 443; the tests ask elsewhere. */
const otherPorts = '\n[http]\nport = 8080\ntls_port = 8443\n';

const restrict = `mount --make-rprivate / && mkdir -p "$1/tmp" && mount --bind "$1" "$1" && mount -o remount,bind,ro / &&
shift && exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"`;

/** Runs a service of a compose file. Its paths become folders below the machine's data. */
async function startService(host: TestHost, service: ComposeService | undefined, settings: string) {
  expect(service).toMatchObject({
    environment: { RUSHLIGHT_CONFIG: '/etc/rushlight/rushlight.toml', RUSHLIGHT_DATA: '/data' },
    volumes: expect.arrayContaining(['./config:/etc/rushlight:ro', 'data:/data']),
    read_only: true,
    cap_drop: ['ALL'],
  });
  const launcher = (data: string) => ['env', `TMPDIR=${data}/tmp`, 'sh', '-c', restrict, 'sh', data];
  const machine = new Machine(host, {}, launcher);
  return await machine.boot(settings);
}

/** The output of a program on this machine; rejects if it fails. */
async function outputOf(host: TestHost, program: string, ...args: readonly string[]): Promise<string> {
  const child = host.spawn(program, ...args);
  child.stdin?.end();
  if (child.stdout === null || child.stderr === null) throw new Error('no output');
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${code} ${errors}`);
  return out;
}

const statusOf = (host: TestHost, ...args: readonly string[]) =>
  outputOf(
    host,
    'curl',
    '-k',
    '-s',
    '-o',
    '/dev/null',
    '-m',
    '20',
    '-w',
    '%{http_code} %{content_type} %{redirect_url}',
    ...args,
  );

describe.skipIf(obstacle !== null)(title, { timeout: 300_000 }, () => {
  let lan: TestLan;
  let folder = '';
  const machines: Machine[] = [];
  const track = (machine: Machine) => {
    machines.push(machine);
    return machine;
  };

  beforeEach(async () => {
    lan = await new TestLan().open();
    folder = await mkdtemp(join(tmpdir(), 'rushlight-setup-'));
  });

  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine[Symbol.asyncDispose]();
    await lan[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const onlineFeed = (machine: Machine, id: RegExp) =>
    machine.until(`a feed ${id} is online`, async () =>
      (await machine.ask<Feed[]>('GET', '/api/feeds')).find(
        (feed) => id.test(feed.id) && feed.state === 'online',
      ),
    );

  test('single box: shows the picture without a key, and nobody else can reach it', async () => {
    const host = await lan.addHost('box', '10.88.0.1/24');
    const other = await lan.addHost('other', '10.88.0.2/24');
    const { rushlight } = composeServices(await read('single-box/compose.yaml'), {});
    const box = track(await startService(host, rushlight, await read('single-box/config/rushlight.toml')));
    await onlineFeed(box, /^cam0$/);
    expect(await statusOf(host, 'http://localhost:8080/')).toMatch(/^200 text\/html/);
    expect(await statusOf(host, 'http://localhost:8080/stream/cam0.jpg')).toMatch(/^200 image\/jpeg/);
    await expect(statusOf(other, 'http://10.88.0.1:8080/')).rejects.toThrow(/curl/);
  });

  test('hub with USB cameras: requires HTTPS and a key from others, masters in the volume', async () => {
    const host = await lan.addHost('hub', '10.88.0.1/24');
    const other = await lan.addHost('other', '10.88.0.2/24');
    const { rushlight } = composeServices(await read('usb-hub/compose.yaml'), { VIDEO_GROUP: '44' });
    expect(rushlight?.devices).toEqual(['/dev/video0:/dev/video0']);
    // Whether there is a camera depends on the machine of the test; the test picture is always there.
    const hub = track(
      await startService(host, rushlight, (await read('usb-hub/config/rushlight.toml')) + testPicture),
    );
    await onlineFeed(hub, /^cam0$/);
    const base = 'https://10.88.0.1:8443';
    expect(await statusOf(other, `${base}/api/feeds`)).toMatch(/^401/);
    const key = `Authorization: Bearer ${await hub.ownerToken()}`;
    expect(await statusOf(other, '-H', key, `${base}/stream/cam0.jpg`)).toMatch(/^200 image\/jpeg/);
    expect(await statusOf(other, '-H', 'Accept: text/html', 'http://10.88.0.1:8080/')).toContain(`${base}/`);
    const { masters } = await hub.ask<Status>('GET', '/api/status');
    expect(masters.folder).toBe(join(hub.data, 'takes'));
  });

  test('distributed: a camera and a light agent publish to a gateway that passes the rest to its backend', async () => {
    const host = await lan.addHost('gateway', '10.88.0.1/24');
    const yardHost = await lan.addHost('yard', '10.88.0.2/24');
    const shedHost = await lan.addHost('shed', '10.88.0.3/24');
    for (const one of [yardHost, shedHost]) await one.nameHosts([['10.88.0.1', 'gateway.local']]);
    const { rushlight, backend } = composeServices(await read('distributed/gateway/compose.yaml'), {});
    expect(backend?.ports).toEqual(['127.0.0.1:8000:8000']);
    const answer = `require('node:http').createServer((q, a) => a.end('backend ' + q.url)).listen(8000, '127.0.0.1')`;
    host.spawn(process.execPath, '-e', answer);
    const gateway = track(
      await startService(host, rushlight, await read('distributed/gateway/config/rushlight.toml')),
    );
    await gateway.until('the gateway answers', () => gateway.ask<Status>('GET', '/api/status'));
    expect(await outputOf(host, 'curl', '-s', 'http://127.0.0.1:8080/docs?of=backend')).toBe(
      'backend /docs?of=backend',
    );

    const yard = track(
      await new Machine(yardHost).boot(
        (await read('distributed/camera/rushlight.toml')) + otherPorts + testPicture,
      ),
    );
    const shown = await yard.until(
      'the camera asks',
      async () => (await yard.ask<Status>('GET', '/api/status')).adoption,
    );
    const waiting = await gateway.until('the gateway lists it', async () =>
      (await gateway.ask<{ id: string; code: string }[]>('GET', '/api/cameras/new')).find(
        ({ code }) => code === shown.code,
      ),
    );
    await gateway.ask('POST', `/api/cameras/${waiting.id}/adopt`, { code: shown.code });
    await onlineFeed(gateway, /yard|cam0/);

    const settings = Object.fromEntries(
      (await read('distributed/agent/shed.conf'))
        .split('\n')
        .flatMap((line) => (/^\w+=/.test(line) ? [line.split('=')] : [])),
    );
    const { token } = await gateway.ask<{ token: string }>('POST', '/api/keys', {
      role: 'camera',
      subject: 'shed',
    });
    await writeFile(join(folder, 'key'), token);
    await writeFile(join(folder, 'hub.pem'), await readFile(join(gateway.data, 'tls-cert.pem')));
    const agent = `ffmpeg -v error -re -f lavfi -i testsrc=size=320x180:rate=${settings.RATE} -q:v 5 -f mpjpeg - |
      NODE_EXTRA_CA_CERTS=${folder}/hub.pem ${process.execPath} ${root}/supervisor/cli/jpeg-agent.ts --hub ${settings.HUB} --feed shed --token-file ${folder}/key`;
    shedHost.spawn('sh', '-c', agent);
    await onlineFeed(gateway, /^shed$/);
  });

  test('cluster: a pod fetches a picture from its own worker with the command in the manifest', async () => {
    const worker = await lan.addHost('worker', '10.88.0.1/24');
    const pod = await lan.addHost('pod', '10.88.0.2/24');
    await pod.nameHosts([['10.88.0.1', 'rushlight-local.cameras.svc']]); // what the cluster's DNS and kube-proxy do
    const hub = track(await new Machine(worker).boot((await read('cluster/rushlight.toml')) + testPicture));
    await onlineFeed(hub, /^cam0$/);
    const { token } = await hub.ask<{ token: string }>('POST', '/api/keys', {
      role: 'viewer',
      subject: 'cluster',
    });
    await writeFile(join(folder, 'worker-1'), token);
    await writeFile(join(folder, 'workers.pem'), await readFile(join(hub.data, 'tls-cert.pem')));
    const deployment = parseAllDocuments(await read('cluster/kubernetes.yaml'))
      .map((document) => document.toJS())
      .find(({ kind }) => kind === 'Deployment');
    const [container] = deployment.spec.template.spec.containers;
    const script = String(container.command.at(-1))
      .replace('while sleep 10; do', '')
      .replace(/done\s*$/, '')
      .replaceAll(/\/(?:certificates|keys|tmp)\//g, `${folder}/`);
    await outputOf(pod, 'env', 'NODE=worker-1', 'FEED=cam0', 'sh', '-ec', script);
    const picture = await readFile(join(folder, 'picture.jpg'));
    expect(picture.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
  });
});
