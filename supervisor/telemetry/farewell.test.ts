import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { MqttListener } from './listener.fixture.ts';
import { Mosquitto } from './mosquitto.fixture.ts';
import { mqttSettings, RunningTelemetry } from './telemetry.fixture.ts';

const availability = 'rushlight/rl-10000000deadbeef/availability';
const documentUnder = (prefix: string) => `${prefix}/device/rushlight_rl-10000000deadbeef/config`;
const urlOf = ({ port }: { port: number }) => `mqtt://127.0.0.1:${port}`;
const isOnline = (text: string) => text === 'online';

/** What of the documents a new client finds. */
async function retainedDocuments(broker: Mosquitto): Promise<string[]> {
  await using late = await MqttListener.connect(broker.port);
  await late.until(availability, () => true);
  await sleep(300);
  return late.received
    .filter(({ topic, text }) => topic.endsWith('/config') && text !== '')
    .map(({ topic }) => topic);
}

describe('settings that leave a place', () => {
  test.each([
    ['another prefix', { discovery_prefix: 'ha2' }],
    ['another broker', { url: 'mqtt://192.0.2.1' }],
    ['no broker', { url: undefined }],
    ['no discovery', { discovery: false }],
  ])('%s: removes the document before the connection ends', async (_what, change) => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    const before = { url: urlOf(broker) };
    {
      await using _running = new RunningTelemetry({
        settings: before,
        more: { settingsNow: () => mqttSettings({ ...before, ...change }) },
      });
      await listener.until(availability, isOnline);
    }
    expect(await retainedDocuments(broker)).toEqual([]);
  });

  test('a stop leaves the document in place', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    const settings = { url: urlOf(broker) };
    {
      await using _running = new RunningTelemetry({
        settings,
        more: { settingsNow: () => mqttSettings(settings) },
      });
      await listener.until(availability, isOnline);
    }
    expect(await retainedDocuments(broker)).toEqual([documentUnder('homeassistant')]);
  });

  test('a prefix changed between runs: removes the old document at the next start', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    let kept: readonly string[] = [];
    const documents = {
      read: () => kept,
      keep: async (topics: readonly string[]) => {
        kept = topics;
      },
    };
    for (const prefix of ['homeassistant', 'ha2']) {
      await using _running = new RunningTelemetry({
        settings: { url: urlOf(broker), discovery_prefix: prefix },
        more: { documents },
      });
      await listener.until(documentUnder(prefix), (text) => text !== '');
      await listener.until(availability, isOnline);
      listener.forget();
    }
    expect(await retainedDocuments(broker)).toEqual([documentUnder('ha2')]);
    expect(kept).toEqual([documentUnder('ha2')]);
  });
});

test("receives Home Assistant's birth message on its own topic, whatever the prefix", async () => {
  await using broker = await Mosquitto.start();
  await using listener = await MqttListener.connect(broker.port);
  await using _running = new RunningTelemetry({ settings: { url: urlOf(broker), discovery_prefix: 'ha2' } });
  await listener.until(availability, isOnline);
  listener.forget();
  await listener.publish('homeassistant/status', 'online');
  await vi.waitUntil(() => listener.on(documentUnder('ha2')).length > 0, { timeout: 10_000, interval: 20 });
});

test("the page's address in the document follows the page", async () => {
  await using broker = await Mosquitto.start();
  await using listener = await MqttListener.connect(broker.port);
  await using running = new RunningTelemetry({ settings: { url: urlOf(broker) } });
  const address = (text: string) => JSON.parse(text).device.configuration_url;
  await listener.until(documentUnder('homeassistant'), (text) => address(text) === undefined);
  running.status.serveAt('https://stage.local:8443/');
  await listener.until(
    documentUnder('homeassistant'),
    (text) => address(text) === 'https://stage.local:8443/',
  );
  running.status.serveAt('http://stage local/');
  await listener.until(documentUnder('homeassistant'), (text) => address(text) === undefined);
});
