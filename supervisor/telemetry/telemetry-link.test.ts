import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MqttListener } from './listener.fixture.ts';
import { Mosquitto, makeCertificates } from './mosquitto.fixture.ts';
import { hubStatus } from './status.fixture.ts';
import { TcpProxy } from './tcp-proxy.fixture.ts';
import { RunningTelemetry } from './telemetry.fixture.ts';

const availability = 'rushlight/rl-10000000deadbeef/availability';
const state = 'rushlight/rl-10000000deadbeef/state';
const patience = { timeout: 30_000, interval: 20 };
const urlOf = ({ port }: { port: number }) => `mqtt://127.0.0.1:${port}`;
const isOnline = (text: string) => text === 'online';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-telemetry-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const linkOf = ({ telemetry }: RunningTelemetry) => telemetry.link;
const untilReason = (running: RunningTelemetry, words: RegExp) =>
  vi.waitUntil(() => words.test(linkOf(running).reason ?? ''), patience);

describe('a connection that ends', () => {
  test('without goodbye: the broker publishes offline, and online follows', async () => {
    await using broker = await Mosquitto.start();
    await using proxy = await TcpProxy.start(broker.port);
    await using listener = await MqttListener.connect(broker.port);
    await using _running = new RunningTelemetry({ settings: { url: urlOf(proxy) } });
    await listener.until(availability, isOnline);
    listener.forget();
    proxy.cut();
    await vi.waitUntil(() => listener.on(availability).length >= 2, patience);
    expect(listener.on(availability).map(({ text }) => text)).toEqual(['offline', 'online']);
  });

  test('half-open: keepalive detects it on both sides, and it is replaced', async () => {
    await using broker = await Mosquitto.start();
    await using proxy = await TcpProxy.start(broker.port);
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({
      settings: { url: urlOf(proxy) },
      timing: { keepaliveS: 1 },
    });
    await listener.until(availability, isOnline);
    listener.forget();
    proxy.freeze();
    running.status.set({ tally: 'preview' });
    await listener.until(state, (text) => JSON.parse(text).tally.state === 'preview');
    await listener.until(availability, isOnline);
    expect(listener.on(availability).map(({ text }) => text)).toEqual(['offline', 'online']);
  });

  test('a broker that was away gets the newest state and nothing from the time between', async () => {
    await using broker = await Mosquitto.start();
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await vi.waitUntil(() => linkOf(running).state === 'connected', patience);
    await broker.stop('SIGKILL');
    await vi.waitUntil(() => linkOf(running).state === 'waiting', patience);
    for (const tally of ['preview', 'off', 'preview', 'program'] as const) running.status.set({ tally });
    await broker.start();
    await using listener = await MqttListener.connect(broker.port);
    await listener.until(availability, isOnline);
    await listener.until(state, () => true);
    const tallies = new Set(listener.on(state).map(({ text }) => JSON.parse(text).tally.state));
    expect([...tallies]).toEqual(['program']);
    await vi.waitUntil(() => linkOf(running).state === 'connected', patience);
  });
});

describe('versions of MQTT', () => {
  test.each(['refuse-as-5', 'refuse-as-3', 'hang-up'] as const)(
    'uses 3.1.1 for brokers that %s',
    async (manners) => {
      await using broker = await Mosquitto.start();
      await using proxy = await TcpProxy.start(broker.port, manners);
      await using listener = await MqttListener.connect(broker.port);
      await using running = new RunningTelemetry({ settings: { url: urlOf(proxy) } });
      await listener.until(availability, isOnline);
      expect(linkOf(running).protocol).toBe('3.1.1');
      expect(proxy.levels[0]).toBe(5);
      expect(proxy.levels.at(-1)).toBe(4);
    },
  );

  test('uses only the configured version', async () => {
    await using broker = await Mosquitto.start();
    await using proxy = await TcpProxy.start(broker.port, 'refuse-as-5');
    await using running = new RunningTelemetry({ settings: { url: urlOf(proxy), protocol: '5' } });
    await untilReason(running, /version/);
    await vi.waitUntil(() => proxy.levels.length >= 3, patience);
    expect(new Set(proxy.levels)).toEqual(new Set([5]));
  });
});

describe('credentials', () => {
  test('reports a wrong password, and uses the right one as soon as the file has it', async () => {
    await using broker = await Mosquitto.start({ users: { camera: 'secret' } });
    await using listener = await MqttListener.connect(broker.port, {
      username: 'camera',
      password: 'secret',
    });
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, 'wrong\n');
    await using running = new RunningTelemetry({
      settings: { url: urlOf(broker), username: 'camera', password_file: 'password' },
      status: hubStatus({ config: { file: join(folder, 'rushlight.toml'), errors: [] } }),
    });
    await untilReason(running, /Not authorized/);
    expect(linkOf(running)).toMatchObject({
      state: expect.stringMatching(/waiting|connecting/),
      protocol: null,
    });
    await writeFile(passwordFile, 'secret\n');
    await listener.until(availability, isOnline);
  });

  test('names the topic that an access list lacks', async () => {
    const acl = 'user camera\ntopic readwrite rushlight/#\n';
    await using broker = await Mosquitto.start({ users: { camera: 'secret' }, acl });
    await writeFile(join(folder, 'password'), 'secret\n');
    await using running = new RunningTelemetry({
      settings: { url: urlOf(broker), username: 'camera', password_file: 'password' },
      status: hubStatus({ config: { file: join(folder, 'rushlight.toml'), errors: [] } }),
    });
    await untilReason(running, /published to homeassistant\/device\/\S+\/config: its access list/);
  });

  test('names the setting of a missing file', async () => {
    await using broker = await Mosquitto.start();
    await using running = new RunningTelemetry({
      settings: { url: urlOf(broker), username: 'camera', password_file: join(folder, 'nowhere') },
    });
    await untilReason(running, /mqtt\.password_file.*ENOENT/);
  });

  test('TLS with a custom authority and a client certificate; rejects another authority', async () => {
    const tls = { ...(await makeCertificates(folder)), clientCertificates: true };
    await using broker = await Mosquitto.start({ tls });
    const url = `mqtts://localhost:${broker.port}`;
    const files = { cert_file: tls.clientCert, key_file: tls.clientKey };
    {
      await using stranger = new RunningTelemetry({ settings: { url, ...files } });
      await untilReason(stranger, /name its certificate in mqtt\.ca_file/);
    }
    {
      await using bare = new RunningTelemetry({ settings: { url, ca_file: tls.ca } });
      await untilReason(bare, /client certificate.* set mqtt\.cert_file and mqtt\.key_file$/);
      expect(linkOf(bare).reason).not.toMatch(/error:|SSL routines/);
      expect(linkOf(bare).state).not.toBe('connected');
    }
    await using running = new RunningTelemetry({ settings: { url, ca_file: tls.ca, ...files } });
    await vi.waitUntil(() => linkOf(running).state === 'connected', patience);
    expect(linkOf(running).protocol).toBe('5');
  });
});

describe('finding the broker', () => {
  test('auto asks the finder, and again after each loss', async () => {
    await using broker = await Mosquitto.start();
    const answers = [[], [{ name: 'attic', host: 'attic.local', url: urlOf(broker) }]];
    await using running = new RunningTelemetry({
      settings: { url: 'auto' },
      findBrokers: async () => answers.shift() ?? [],
    });
    await vi.waitUntil(() => linkOf(running).state === 'connected', patience);
    expect(linkOf(running).broker).toBe(urlOf(broker));
    await broker.stop();
    await untilReason(running, /no broker found/);
  });

  test('without a URL nothing runs', async () => {
    const running = new RunningTelemetry({ settings: {} });
    await running.telemetry.run(new AbortController().signal);
    expect(linkOf(running).state).toBe('off');
    await running[Symbol.asyncDispose]();
  });

  test('a stop without a broker is immediate and clean', async () => {
    await using nobody = await Mosquitto.start();
    await nobody.stop();
    const running = new RunningTelemetry({ settings: { url: urlOf(nobody) } });
    await untilReason(running, /nothing answers there/);
    await running[Symbol.asyncDispose]();
    expect(linkOf(running).state).toBe('off');
  });
});
