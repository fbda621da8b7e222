import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { smallestJpeg } from './appliance.fake.ts';
import { commandNames } from './command.ts';
import { MqttListener } from './listener.fixture.ts';
import { Mosquitto } from './mosquitto.fixture.ts';
import { cameraStatus, feedStatus, hubStatus, takeStatus } from './status.fixture.ts';
import { RunningTelemetry } from './telemetry.fixture.ts';

const base = 'rushlight/rl-10000000deadbeef';
const discovery = 'homeassistant/device/rushlight_rl-10000000deadbeef/config';
const urlOf = ({ port }: { port: number }) => `mqtt://127.0.0.1:${port}`;

interface Document {
  readonly device: Record<string, unknown>;
  readonly components: Record<string, Record<string, unknown>>;
}
const parse = (text: string | undefined) => JSON.parse(text ?? 'null') as Document;

describe('with a real broker', () => {
  test('discovery comes before state, state before online; all are retained', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    const topics = listener.received
      .map(({ topic }) => topic)
      .filter((topic) => !topic.endsWith('/snapshot'));
    const camera = `${base}/cameras/rl_20000000cafe0001/update/state`;
    expect(topics).toEqual([
      discovery,
      `${base}/state`,
      `${base}/update/state`,
      camera,
      `${base}/availability`,
    ]);
    expect(running.telemetry.link).toMatchObject({ state: 'connected', protocol: '5', reason: null });
    await using late = await MqttListener.connect(broker.port);
    await vi.waitUntil(() => late.received.filter(({ retained }) => retained).length >= 4, 20_000);
    expect(JSON.parse(late.last(`${base}/state`) ?? '')).toMatchObject({ feeds: { cam0: { online: true } } });
  });

  test('a stop publishes offline before it disconnects', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    {
      await using _running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
      await listener.until(`${base}/availability`, (text) => text === 'online');
    }
    await listener.until(`${base}/availability`, (text) => text === 'offline');
  });

  test('publishes an event at once, a figure only beyond its dead-band', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    listener.forget();
    const host = running.status.current().host;
    running.status.set({ host: { ...host, temperatureC: 48.9 } });
    await sleep(500);
    expect(listener.on(`${base}/state`)).toEqual([]);
    running.status.set({ host: { ...host, temperatureC: 60 } });
    await listener.until(`${base}/state`, (text) => JSON.parse(text).host.temperature_c === 60);
    running.status.set({ tally: 'program' });
    await listener.until(`${base}/state`, (text) => JSON.parse(text).tally.on_air === true);
  });

  test('the heartbeat continues without changes', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using _running = new RunningTelemetry({ settings: { url: urlOf(broker), heartbeat_s: 5 } });
    await vi.waitUntil(() => listener.on(`${base}/state`).length >= 3, 60_000);
    expect(new Set(listener.on(`${base}/state`).map(({ text }) => text)).size).toBe(1);
    expect(listener.on(`${base}/update/state`)).toHaveLength(1);
  }, 90_000);

  test("publishes everything again on Home Assistant's birth message", async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using _running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    listener.forget();
    await listener.publish('homeassistant/status', 'online');
    await listener.until(discovery, (text) => parse(text).device !== undefined);
    await listener.until(`${base}/availability`, (text) => text === 'online');
    expect(listener.on(`${base}/state`).length).toBeGreaterThan(0);
    expect(listener.on(`${base}/update/state`).length).toBeGreaterThan(0);
  });

  test('a camera is attached to its hub', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using _running = new RunningTelemetry({ settings: { url: urlOf(broker) }, status: cameraStatus() });
    const topic = 'homeassistant/device/rushlight_rl-20000000cafe0001/config';
    const text = await listener.until(topic, () => true);
    expect(parse(text).device.via_device).toBe('rushlight_rl-10000000deadbeef');
  });
});

describe('removed things', () => {
  test('a feed that disappears is removed, a new one appears', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    running.status.set({ feeds: [feedStatus(), feedStatus({ id: 'drone', label: 'Drone' })] });
    const text = await listener.until(discovery, (doc) => 'feed_drone_fps' in parse(doc).components);
    expect(parse(text).components['feed_cam-left_fps']).toEqual({ platform: 'sensor' });
    expect(parse(text).components.feed_cam0_fps).toHaveProperty('unique_id');
    running.status.set({ feeds: [feedStatus({ id: 'cam-left', label: 'Left' })] });
    const again = await listener.until(
      discovery,
      (doc) => parse(doc).components.feed_drone_fps?.unique_id === undefined,
    );
    expect(parse(again).components['feed_cam-left_fps']).toHaveProperty('unique_id');
  });

  test('a feed that is away for a moment keeps its entities', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({
      settings: { url: urlOf(broker) },
      timing: { departureMs: 3600_000 },
    });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    const before = parse(listener.last(discovery)).components;
    listener.forget();
    running.status.set({ feeds: [] });
    const text = await listener.until(discovery, () => true);
    expect(parse(text).components).toEqual(before);
    await listener.until(`${base}/state`, (state) => Object.keys(JSON.parse(state).feeds).length === 0);
  });

  test('reads back and removes what an earlier version published', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    const old = {
      components: { old_light: { platform: 'switch', unique_id: 'x' }, gone: { platform: 'sensor' } },
    };
    await listener.publish(discovery, JSON.stringify(old), true);
    await using _running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    const text = await listener.until(discovery, (doc) => 'cpu_load' in parse(doc).components);
    expect(parse(text).components.old_light).toEqual({ platform: 'switch' });
    expect(parse(text).components).not.toHaveProperty('gone');
  });

  test('switching discovery off withdraws the document', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    {
      await using _running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
      await listener.until(`${base}/availability`, (text) => text === 'online');
    }
    await using _quiet = new RunningTelemetry({ settings: { url: urlOf(broker), discovery: false } });
    await vi.waitUntil(() => listener.last(discovery) === '', 20_000);
    await listener.until(`${base}/availability`, (text) => text === 'online');
    expect(listener.last(discovery)).toBe('');
  });
});

describe('commands', () => {
  test('are carried out and answered', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    await listener.publish(`${base}/recording/set`, '{"state":"ON","cameras":["cam0"]}');
    const answer = JSON.parse(await listener.until(`${base}/recording/result`, () => true));
    expect(answer).toEqual({ ok: true, code: 'OK', message: 'done', at: expect.stringMatching(/^20.*Z$/) });
    expect(running.commands.of('startTake')).toEqual([[['cam0']]]);
  });

  test('that are retained are rejected, live and on the next connection', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await listener.publish(`${base}/shutdown/set`, 'PRESS', true);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    await listener.publish(`${base}/restart/set`, 'PRESS', true);
    const answer = await listener.until(`${base}/restart/result`, () => true);
    expect(JSON.parse(answer)).toMatchObject({ ok: false, code: 'COMMAND_RETAINED' });
    expect(running.commands.calls.filter(([name]) => name !== 'snapshot')).toEqual([]);
  });

  test('that are retained are rejected over MQTT 3.1.1, too', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await listener.publish(`${base}/shutdown/set`, 'PRESS', true);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker), protocol: '3.1.1' } });
    const answer = await listener.until(`${base}/shutdown/result`, () => true);
    expect(JSON.parse(answer)).toMatchObject({ ok: false, code: 'COMMAND_RETAINED' });
    expect(running.commands.of('shutdown')).toEqual([]);
  });

  test('reject an install during a take unless forced', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    const recording = { state: 'recording', take: takeStatus(), remainingS: 100, refusal: null } as const;
    await using running = new RunningTelemetry({
      settings: { url: urlOf(broker) },
      status: hubStatus({ recording }),
    });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    await listener.publish(`${base}/update/set`, 'install');
    const refused = await listener.until(`${base}/update/result`, () => true);
    expect(JSON.parse(refused)).toMatchObject({ ok: false, code: 'TAKE_RUNNING' });
    await listener.publish(`${base}/update/set`, '{"force":true}');
    await listener.until(`${base}/update/result`, (text) => JSON.parse(text).ok === true);
    expect(running.commands.of('installUpdate')).toEqual([[{ force: true, allowDowngrade: false }]]);
  });
});

describe('occurrences', () => {
  test('are published as events, which are not retained', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    const recording = { state: 'recording', take: takeStatus(), remainingS: 100, refusal: null } as const;
    running.status.set({ recording });
    const started = await listener.until(`${base}/event/take`, () => true);
    expect(JSON.parse(started)).toMatchObject({ event_type: 'started', take: takeStatus().id });
    running.status.set({
      cameras: running.status.current().cameras.map((one) => ({ ...one, online: false })),
    });
    const lost = await listener.until(`${base}/event/camera`, () => true);
    expect(JSON.parse(lost)).toMatchObject({ event_type: 'lost', camera: 'left' });
    await listener.publish(`${base}/restart/set`, 'PRESS');
    const refused = await listener.until(`${base}/event/refusal`, () => true);
    expect(JSON.parse(refused)).toMatchObject({
      event_type: 'command_refused',
      command: 'restart',
      code: 'TAKE_RUNNING',
    });
    await using late = await MqttListener.connect(broker.port);
    await late.until(`${base}/availability`, () => true);
    expect(late.received.filter(({ topic }) => topic.includes('/event/'))).toEqual([]);
  });

  test('commands beyond the limit get one answer with their number', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
    await listener.until(`${base}/availability`, (text) => text === 'online');
    const { promise, resolve } = Promise.withResolvers<void>();
    running.commands.identify = () => promise;
    await Promise.all(Array.from({ length: 80 }, () => listener.publish(`${base}/identify/set`, 'PRESS')));
    await listener.publish(`${base}/state/set`, 'PRESS');
    await sleep(300);
    resolve();
    const dropped = await listener.until(`${base}/identify/result`, (text) => JSON.parse(text).ok === false);
    expect(JSON.parse(dropped)).toMatchObject({
      code: 'COMMAND_TOO_OFTEN',
      message: expect.stringMatching(/^16 commands were dropped/),
    });
  });
});

describe('the update of a camera', () => {
  const camera = 'rushlight/rl-20000000cafe0001';
  const document = 'homeassistant/device/rushlight_rl-20000000cafe0001/config';

  test('is one entity: while the hub shows it, the camera does not', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    {
      await using _hub = new RunningTelemetry({ settings: { url: urlOf(broker) } });
      await listener.until(`${base}/availability`, (text) => text === 'online');
    }
    await using _camera = new RunningTelemetry({ settings: { url: urlOf(broker) }, status: cameraStatus() });
    await listener.until(`${camera}/availability`, (text) => text === 'online');
    expect(parse(listener.last(document)).components.update).toEqual({ platform: 'update' });
    await listener.publish(`${base}/cameras/rl_20000000cafe0001/update/state`, '', true);
    const again = await listener.until(
      document,
      (text) => 'unique_id' in (parse(text).components.update ?? {}),
    );
    expect(parse(again).components.update).toMatchObject({ platform: 'update', name: 'Firmware' });
  });

  test('is shown by the camera if only a former hub shows it', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await listener.publish('rushlight/rl-dead/cameras/rl_20000000cafe0001/update/state', '{}', true);
    await using running = new RunningTelemetry({ settings: { url: urlOf(broker) }, status: cameraStatus() });
    await listener.until(`${camera}/availability`, (text) => text === 'online');
    expect(parse(listener.last(document)).components.update).toHaveProperty('unique_id');
    running.status.set({ hub: null });
    await sleep(200);
    expect(parse(listener.last(document)).components.update).toHaveProperty('unique_id');
  });

  test('is given back by a hub that lost the camera while it was off, or that stops using Home Assistant', async () => {
    const update = `${base}/cameras/rl_20000000cafe0001/update/state`;
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    const rollout = { ...hubStatus().rollout, members: [] } as unknown as NonNullable<
      ReturnType<typeof hubStatus>['rollout']
    >;
    for (const again of [
      { settings: { url: urlOf(broker) }, status: hubStatus({ cameras: [], rollout }) },
      { settings: { url: urlOf(broker), discovery: false } },
    ]) {
      {
        await using _hub = new RunningTelemetry({ settings: { url: urlOf(broker) } });
        await listener.until(update, (text) => text !== '');
        await listener.until(`${base}/availability`, (text) => text === 'online');
      }
      listener.forget();
      await using _later = new RunningTelemetry(again);
      await listener.until(update, (text) => text === '');
      await listener.until(`${base}/availability`, (text) => text === 'online');
      expect(listener.last(update)).toBe('');
      listener.forget();
    }
  });

  test('is shown by the camera if no hub shows it', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using _camera = new RunningTelemetry({ settings: { url: urlOf(broker) }, status: cameraStatus() });
    await listener.until(`${camera}/availability`, (text) => text === 'online');
    expect(parse(listener.last(document)).components.update).toHaveProperty('unique_id');
  });
});

test('10,000 random commands over the broker: each is answered, and the link survives', async () => {
  await using broker = await Mosquitto.start();
  await using listener = await MqttListener.connect(broker.port);
  await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
  await listener.until(`${base}/availability`, (text) => text === 'online');
  const names = fc.constantFrom(...commandNames, 'reboot', 'state');
  const payloads = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .constantFrom('PRESS', 'ON', 'OFF', 'hub', 'program', 'install', '{"force":true}')
      .map((text) => Buffer.from(text)),
  );
  const commands = fc.sample(fc.tuple(names, payloads), 10_000);
  const results = () => listener.received.filter(({ topic }) => topic.endsWith('/result')).length;
  // Two batches may be under way at once, as an answer is heard before it is acknowledged: beyond 64 some would share an answer.
  const batchSize = 25;
  for (let start = 0; start < commands.length; start += batchSize) {
    const batch = commands.slice(start, start + batchSize);
    await Promise.all(batch.map(([name, payload]) => listener.publish(`${base}/${name}/set`, payload)));
    await vi.waitUntil(() => results() === start + batch.length, { timeout: 30_000, interval: 2 });
  }
  const answers = listener.received
    .filter(({ topic }) => topic.endsWith('/result'))
    .map(({ text }) => JSON.parse(text));
  expect(answers.filter(({ ok }) => ok).length).toBe(
    running.commands.calls.filter(([name]) => name !== 'snapshot').length,
  );
  expect(answers.filter(({ ok, message }) => !ok && message !== '').length).toBeGreaterThan(5000);
  expect(running.telemetry.link.state).toBe('connected');
}, 180_000);

test('a feed that comes online gets a picture, and so does anybody who asks', async () => {
  await using broker = await Mosquitto.start();
  await using listener = await MqttListener.connect(broker.port);
  const offline = feedStatus({ id: 'late', state: 'offline' });
  await using running = new RunningTelemetry({
    settings: { url: urlOf(broker) },
    status: hubStatus({ feeds: [offline] }),
  });
  await listener.until(`${base}/availability`, (text) => text === 'online');
  expect(listener.on(`${base}/feeds/late/snapshot`)).toEqual([]);
  running.status.set({ feeds: [{ ...offline, state: 'online' }] });
  await listener.until(`${base}/feeds/late/snapshot`, () => true);
  await listener.publish(`${base}/snapshot/set`, 'late');
  await listener.until(`${base}/snapshot/result`, (text) => JSON.parse(text).ok === true);
  await vi.waitUntil(() => listener.on(`${base}/feeds/late/snapshot`).length === 2, 20_000);
  const picture = listener.on(`${base}/feeds/late/snapshot`).at(-1);
  expect(picture?.bytes).toEqual(smallestJpeg);
  expect(picture?.retained).toBe(false);
  await listener.publish(`${base}/snapshot/set`, 'nobody');
  const refused = await listener.until(`${base}/snapshot/result`, (text) => JSON.parse(text).ok === false);
  expect(JSON.parse(refused).code).toBe('FEED_UNKNOWN');
});
