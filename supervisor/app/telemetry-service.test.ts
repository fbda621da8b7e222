import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { camelCaseKeys } from '../../common/camel-case.ts';
import { configSchema } from '../config/schema.ts';
import { StateStore } from '../config/state.ts';
import { StatusBoard } from '../status/status-board.ts';
import { Health } from '../system/health.ts';
import { MqttListener } from '../telemetry/listener.fixture.ts';
import { Mosquitto } from '../telemetry/mosquitto.fixture.ts';
import { hubStatus } from '../telemetry/status.fixture.ts';
import { TcpProxy } from '../telemetry/tcp-proxy.fixture.ts';
import { mqttSection, type TelemetryParts, TelemetryService } from './telemetry-service.ts';

test('accepts only what is waiting, and can forget what it accepted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-mqtt-'));
  const logger = pino({ level: 'silent' });
  const state = new StateStore({ file: join(folder, 'state.json'), logger });
  await state.load();
  await state.update(mqttSection, () => ({ accepted: ['attic'], documents: ['homeassistant/x'] }));
  const service = new TelemetryService({ state, log: logger } as unknown as TelemetryParts);
  await expect(service.accept('cellar')).rejects.toMatchObject({ code: 'BROKER_UNKNOWN' });
  expect(state.get(mqttSection).accepted).toEqual(['attic']);
  await service.forget();
  expect(state.get(mqttSection)).toEqual({ accepted: [], documents: ['homeassistant/x'] });
  await rm(folder, { recursive: true });
});

describe('a connection to the broker that breaks and returns', () => {
  const topics = {
    availability: 'rushlight/rl-10000000deadbeef/availability',
    state: 'rushlight/rl-10000000deadbeef/state',
    update: 'rushlight/rl-10000000deadbeef/update/state',
    document: 'homeassistant/device/rushlight_rl-10000000deadbeef/config',
  };
  const isOnline = (text: string) => text === 'online';
  let folder = '';
  let broker: Mosquitto;
  let way: TcpProxy;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rushlight-mqtt-'));
    broker = await Mosquitto.start();
    way = await TcpProxy.start(broker.port);
  });

  afterEach(async () => {
    await way[Symbol.asyncDispose]();
    await broker[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  /** The service as the appliance runs it: its reports go into the health, and the health into what it publishes. */
  async function open() {
    const log = pino({ level: 'silent' });
    const health = new Health();
    const other = health.register('disk', { core: false });
    other.ok();
    const state = new StateStore({ file: join(folder, 'state.json'), logger: log });
    await state.load();
    const board = new StatusBoard({
      compose: () => hubStatus({ health: health.snapshot() as never, mqtt: service.link }),
    });
    health.subscribe(() => board.poke());
    const url = `mqtt://127.0.0.1:${way.port}`;
    const config = camelCaseKeys(configSchema, configSchema.parse({ mqtt: { url } }));
    const parts = { board, health, state, config: { current: { config } }, pageUrl: () => null, log };
    const service = new TelemetryService(parts as unknown as TelemetryParts);
    const stop = new AbortController();
    const running = [board.run(stop.signal), service.serviceFor(config)?.(stop.signal)];
    return {
      other,
      service,
      async [Symbol.asyncDispose]() {
        stop.abort();
        await Promise.all(running);
      },
    };
  }

  const breaks: [string, () => Promise<void>][] = [
    [
      'a broker that is stopped and started again',
      async () => {
        await broker.stop('SIGTERM');
        await sleep(1500);
        await broker.start();
      },
    ],
    [
      'a broker that loses its power, and with it all it kept',
      async () => {
        await broker.stop('SIGKILL');
        await sleep(1500);
        await broker.start();
      },
    ],
    ['a cable that is cut', async () => way.cut()],
  ];

  test.each(breaks)(
    '%s: publishes everything again, and no state reports the link as a problem',
    {
      timeout: 60_000,
    },
    async (_how, breakLink) => {
      await using listener = await MqttListener.connect(broker.port);
      await using appliance = await open();
      await listener.until(topics.availability, isOnline);
      const before = listener.last(topics.document);
      const reasons: (string | null)[] = [];
      listener.forget();
      await breakLink();
      for (const deadline = performance.now() + 20_000; performance.now() < deadline; await sleep(5)) {
        reasons.push(appliance.service.link?.reason ?? null);
        if (listener.last(topics.availability) === 'online') break;
      }
      await listener.until(topics.state, () => true);
      // The appliance itself knew of it: its page says so.
      expect(reasons.some((reason) => reason !== null)).toBe(true);
      await sleep(1500);
      const states = listener.on(topics.state).map(({ text }) => JSON.parse(text).health);
      expect(states.length).toBeGreaterThan(0);
      for (const health of states) expect(health).toEqual({ state: 'ok', problem: false, reasons: [] });

      // Home Assistant that starts now finds everything.
      await using late = await MqttListener.connect(broker.port);
      await late.until(topics.availability, isOnline);
      expect(late.last(topics.document)).toBe(before);
      for (const topic of [topics.state, topics.update]) await late.until(topic, (text) => text !== '');

      // What else is wrong is still a problem.
      appliance.other.degraded('almost full');
      await listener.until(topics.state, (text) => JSON.parse(text).health.problem === true);
    },
  );
});
