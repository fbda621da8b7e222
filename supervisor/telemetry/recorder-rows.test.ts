import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Status } from '../contract/index.ts';
import { Announcer } from './announcer.ts';
import { FakeStatus } from './appliance.fake.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { RecorderRows } from './recorder-rows.fixture.ts';
import { cameraStatus, hubStatus } from './status.fixture.ts';
import { defaultTiming } from './timing.ts';
import { topicsOf } from './topics.ts';
import { Wakeup } from './wakeup.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const minute = 60_000;

test('two idle appliances leave fewer than 1,000 rows an hour in the recorder', async () => {
  const [hub, camera] = await Promise.all([
    rowsOfAnHour(hubStatus()),
    rowsOfAnHour(cameraStatus({ feeds: hubStatus().feeds.slice(0, 1) })),
  ]);
  const most = [...hub.byEntity, ...camera.byEntity].sort(([, a], [, b]) => b - a).slice(0, 12);
  expect(hub.total + camera.total, JSON.stringify(most)).toBeLessThan(1000);
}, 120_000);

/** The product's own intervals; figures wander as they do on a machine where nothing happens. */
async function rowsOfAnHour(start: Status): Promise<RecorderRows> {
  const rows = new RecorderRows();
  const status = new FakeStatus(start);
  const connection = { publish: async (topic: string, text: string) => rows.note(topic, text) };
  const announcer = new Announcer({
    connection: connection as unknown as BrokerConnection,
    topics: topicsOf(start.device.id, 'homeassistant'),
    status,
    wakeup: new Wakeup(),
    timing: defaultTiming,
    heartbeatMs: minute,
    discovery: true,
    published: {},
    nowMs: () => performance.now(),
  });
  const stop = new AbortController();
  const running = announcer.run(stop.signal);
  const stepMs = 500;
  for (let ms = 0; ms < 65 * minute; ms += stepMs) {
    if (ms === 5 * minute) rows.forget();
    status.set(wander(start, ms));
    await vi.advanceTimersByTimeAsync(stepMs);
  }
  stop.abort();
  await running;
  return rows;
}

function wander(start: Status, ms: number): Partial<Status> {
  const noise = (seed: number) => Math.sin((ms / 250) * 12.9898 + seed * 78.233);
  /** What comes and goes in a quarter of an hour. */
  const swing = Math.sin((ms / (15 * minute)) * 2 * Math.PI);
  const { host } = start;
  return {
    feeds: start.feeds.map((feed, index) => ({
      ...feed,
      fps: 29.97 + noise(index) * 0.3,
      bitrateKbps: 6000 * (1 + noise(index + 2) * 0.08),
      lossRatio: Math.max(0, noise(index + 3) * 0.004),
      latencyMs: 32 + noise(index + 4) * 6,
      framesTotal: feed.framesTotal + ms * 0.03,
    })),
    cameras: start.cameras.map((camera) => ({
      ...camera,
      remainingS: 7200 + Math.round(noise(5) * 40),
      clockOffsetMs: noise(6),
    })),
    recording: { ...start.recording, remainingS: 5400 + Math.round(noise(7) * 40) },
    host: {
      ...host,
      cpuLoadPercent: 14 + swing * 2 + noise(8) * 8,
      temperatureC: 48 + swing + noise(9) * 0.5,
      memoryUsedBytes: host.memoryUsedBytes + noise(10) * 1e7,
      disks: host.disks.map((disk) => ({ ...disk, freeBytes: disk.freeBytes - ms * 100 })),
      network: host.network.map((one) => ({
        ...one,
        rxKbps: (one.rxKbps ?? 0) * (1 + noise(11) * 0.1),
        wifiSignalDbm: one.wifiSignalDbm === null ? null : one.wifiSignalDbm + Math.round(noise(12) * 3),
      })),
      clock: { synced: true, offsetMs: noise(13) },
    },
  };
}
