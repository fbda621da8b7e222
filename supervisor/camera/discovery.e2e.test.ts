import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { netnsObstacle, type TestHost, TestLan } from '../testing/netns.ts';
import type { HubCandidate } from './hub-locator.ts';

const obstacle = await netnsObstacle();
const title = `discovery over real multicast${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;
const program = join(import.meta.dirname, 'locator-process.fake.ts');
const patient = { timeout: 30_000, interval: 50 };

describe.skipIf(obstacle !== null)(title, { timeout: 90_000 }, () => {
  let lan: TestLan;
  beforeEach(async () => {
    lan = await new TestLan().open();
  });
  afterEach(async () => {
    await lan[Symbol.asyncDispose]();
  });

  test('a camera that boots before its hub finds it, follows its address and notices its goodbye', async () => {
    const camera = locate(await lan.addHost('camera', '10.77.0.1/24'));
    const hubHost = await lan.addHost('hub', '10.77.0.2/24');
    const hub = advertise(hubHost, 'stage', 'hub-a', ['--tls', 'ab'.repeat(32)]);
    await vi.waitFor(() => expect(camera.hub()?.url).toBe('https://10.77.0.2:8080'), patient);
    expect(camera.hub()).toEqual({
      id: 'hub-a',
      name: 'stage',
      url: 'https://10.77.0.2:8080',
      otherUrls: [],
      tlsFingerprint: 'ab'.repeat(32),
      via: 'mdns',
      reason: 'the only hub found',
    });

    await hubHost.setAddress('10.77.0.7/24');
    await vi.waitFor(() => expect(camera.hub()?.url).toBe('https://10.77.0.7:8080'), patient);

    hub.kill('SIGTERM');
    await vi.waitFor(() => expect(camera.hub()).toBeNull(), patient);
  });

  test('a camera that boots after its hubs chooses the one that adopted it, else the lowest id', async () => {
    advertise(await lan.addHost('hub-a', '10.77.0.2/24'), 'a', 'hub-a');
    advertise(await lan.addHost('hub-b', '10.77.0.3/24'), 'b', 'hub-b');
    const witness = locate(await lan.addHost('witness', '10.77.0.9/24'));
    await vi.waitFor(() => expect(witness.hub()).not.toBeNull(), patient);
    const adopted = locate(await lan.addHost('adopted', '10.77.0.4/24'), ['--pinned', 'hub-b']);
    const stranger = locate(await lan.addHost('stranger', '10.77.0.5/24'));
    await vi.waitFor(() => expect(adopted.hub()?.id).toBe('hub-b'), patient);
    await vi.waitFor(() => expect(stranger.hub()?.id).toBe('hub-a'), patient);
  });

  test('a pulled cable keeps the last address; afterwards it finds a hub at a new address', async () => {
    const hubHost = await lan.addHost('hub', '10.77.0.2/24');
    advertise(hubHost, 'stage', 'hub-a');
    const cameraHost = await lan.addHost('camera', '10.77.0.1/24');
    const camera = locate(cameraHost);
    await vi.waitFor(() => expect(camera.hub()?.url).toBe('http://10.77.0.2:8080'), patient);

    await cameraHost.cutCable();
    camera.fail('http://10.77.0.2:8080');
    await hubHost.setAddress('10.77.0.8/24');
    await camera.silent('the hub fell silent');
    expect(camera.hub()?.url).toBe('http://10.77.0.2:8080');

    await cameraHost.restoreCable();
    await vi.waitFor(() => expect(camera.hub()?.url).toBe('http://10.77.0.8:8080'), patient);
  });

  test('reports a short cable loss as soon as the hub is heard again', async () => {
    advertise(await lan.addHost('hub', '10.77.0.2/24'), 'stage', 'hub-a');
    const cameraHost = await lan.addHost('camera', '10.77.0.1/24');
    const camera = locate(cameraHost);
    await vi.waitFor(() => expect(camera.told()).toBe(1), patient);
    await cameraHost.cutCable();
    await sleep(2500);
    await cameraHost.restoreCable();
    const restoredAtMs = performance.now();
    await vi.waitFor(() => expect(camera.told()).toBe(2), patient);
    console.info(`heard again ${Math.round(performance.now() - restoredAtMs)} ms after the cable was back`);
    expect(camera.hub()?.url).toBe('http://10.77.0.2:8080');
  });

  test('a camera stays with the hub that adopted it; if that is silent, it tries others, which have to show its key', async () => {
    const first = await lan.addHost('first', '10.77.0.2/24');
    advertise(first, 'stage', 'hub-a', ['--tls', 'aa'.repeat(32)]);
    const own = ['--pinned', 'hub-a', '--pinned-tls', 'aa'.repeat(32)];
    const camera = locate(await lan.addHost('camera', '10.77.0.1/24'), own);
    await vi.waitFor(() => expect(camera.hub()?.id).toBe('hub-a'), patient);
    await first.cutCable();
    advertise(await lan.addHost('second', '10.77.0.3/24'), 'stage', 'hub-x', ['--tls', 'bb'.repeat(32)]);
    camera.fail('https://10.77.0.2:8080');
    await camera.silent('the hub fell silent');
    expect(camera.hub()).toMatchObject({ id: 'hub-a', url: 'https://10.77.0.2:8080' });

    const restarted = locate(await lan.addHost('restarted', '10.77.0.4/24'), own);
    await vi.waitFor(() => expect(restarted.hub()?.id).toBe('hub-x'), patient);
    expect(restarted.hub()).toMatchObject({
      tlsFingerprint: 'bb'.repeat(32),
      reason: 'the only hub found; the hub that adopted this camera is not there',
    });
  });

  test('uses the responding one of several addresses of a hub, announced or behind one name', async () => {
    const hubHost = await lan.addHost('hub', '10.77.0.66/24');
    const hub = hubHost.spawn(process.execPath, join(import.meta.dirname, 'hub-process.fake.ts'));
    const pin = await firstLine(hub);
    const cameraHost = await lan.addHost('camera', '10.77.0.1/24');
    // Nobody has the first address, which a resolver gives first: it is the nearer one (RFC 6724, rule 9).
    await cameraHost.nameHosts([
      ['10.77.0.3', 'stage.test'],
      ['10.77.0.66', 'stage.test'],
    ]);
    const reach = async (...urls: readonly string[]) => {
      const program = join(import.meta.dirname, 'reach-process.fake.ts');
      return JSON.parse(await firstLine(cameraHost.spawn(process.execPath, program, '--pin', pin, ...urls)));
    };
    const good = 'https://10.77.0.66:8443';
    const announced = await reach('https://10.77.0.3:8443', good);
    expect(announced).toMatchObject({ url: good, status: 200 });
    const named = await reach('https://stage.test:8443');
    expect(named).toMatchObject({ status: 200 });
    console.info(`past a dead address: ${announced.reachedMs} ms announced, ${named.reachedMs} ms by name`);
  });

  test('with avahi running, announces the appliance and keeps its host name', async () => {
    const services = await mkdtemp(join(tmpdir(), 'rushlight-avahi-'));
    const serviceFile = join(services, 'rushlight.service');
    const hubHost = await lan.addHost('hub', '10.77.0.2/24');
    const avahi = await startAvahi(hubHost, services);
    const hub = advertise(hubHost, 'stage', 'hub-a', ['--avahi', services, '--service-file', serviceFile]);
    const camera = locate(await lan.addHost('camera', '10.77.0.1/24'));
    await vi.waitFor(() => expect(camera.hub()).toMatchObject({ id: 'hub-a', name: 'stage' }), patient);
    expect(camera.hub()?.url).toBe('http://10.77.0.2:8080');
    hub.kill('SIGTERM');
    await vi.waitFor(() => expect(camera.hub()).toBeNull(), patient);
    expect(avahi.output()).not.toMatch(/conflict/i);
    await rm(services, { recursive: true, force: true });
  });
});

async function firstLine(child: ChildProcess): Promise<string> {
  let complaints = '';
  child.stderr?.on('data', (text) => {
    complaints += String(text);
  });
  if (child.stdout) for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`it said nothing: ${complaints}`);
}

function advertise(host: TestHost, name: string, id: string, more: readonly string[] = []): ChildProcess {
  return host.spawn(process.execPath, program, '--advertise', name, '--id', id, '--port', '8080', ...more);
}

function locate(host: TestHost, more: readonly string[] = []) {
  const child = host.spawn(process.execPath, program, '--locate', ...more);
  const seen: (HubCandidate | null)[] = [];
  let log = '';
  if (child.stdout) createInterface(child.stdout).on('line', (line) => seen.push(JSON.parse(line)));
  child.stderr?.on('data', (text) => {
    log += String(text);
  });
  return {
    hub: () => seen.at(-1) ?? null,
    told: () => seen.length,
    fail: (url: string) => child.stdin?.write(`fail ${url}\n`),
    silent: (text: string) => vi.waitFor(() => expect(log).toContain(text), patient),
  };
}

/** A real avahi-daemon with folders of its own: `ip netns exec` gives each program a mount namespace. */
async function startAvahi(host: TestHost, services: string) {
  const config = join(services, 'avahi-daemon.conf');
  await writeFile(config, '[server]\nhost-name=stage\nuse-ipv6=no\nenable-dbus=no\n');
  const script = `mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon &&
    mount --bind ${services} /etc/avahi/services &&
    exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f ${config}`;
  const child = host.spawn('sh', '-c', script);
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += String(chunk);
  });
  await vi.waitFor(() => expect(text).toContain('Server startup complete'), patient);
  return { output: () => text };
}
