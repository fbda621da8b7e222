import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Status } from '../../supervisor/contract/index.ts';
import { LinuxHost } from '../../supervisor/platform/host-linux.ts';
import { MqttListener } from '../../supervisor/telemetry/listener.fixture.ts';
import { Mosquitto } from '../../supervisor/telemetry/mosquitto.fixture.ts';
import { renderMetrics } from '../../supervisor/telemetry/prometheus/metrics.ts';
import { RecorderRows } from '../../supervisor/telemetry/recorder-rows.fixture.ts';
import { takeStatus } from '../../supervisor/telemetry/status.fixture.ts';
import { RunningTelemetry } from '../../supervisor/telemetry/telemetry.fixture.ts';
import { defaultTiming } from '../../supervisor/telemetry/timing.ts';

/**
 * What telemetry costs: `node scripts/bench/telemetry.ts [seconds]` runs it with the product's own intervals against
 * a real broker. The machine is sampled every 2 s, the status changes 4 times a second as a hub with two live feeds
 * does, and Prometheus asks every 15 s. The client that counts the messages is part of this process and of its CPU time.
 */
const seconds = Number(process.argv[2] ?? 60);
const stepMs = 250;
const host = new LinuxHost({ logger: pino({ level: 'warn' }) });

await using broker = await Mosquitto.start();
await using listener = await MqttListener.connect(broker.port);
const rows = new RecorderRows();
await using running = new RunningTelemetry({
  settings: { url: `mqtt://127.0.0.1:${broker.port}` },
  timing: defaultTiming,
});
await listener.until('rushlight/rl-10000000deadbeef/availability', (text) => text === 'online');
await sleep(defaultTiming.snapshotDelayMs + defaultTiming.driftIntervalMs);

await report('nothing changes', () => ({}));
await report('hub with two live feeds', wander);
await report('the same while recording', (step) => ({
  ...wander(step),
  recording: {
    state: 'recording',
    take: takeStatus(),
    remainingS: 5400 - (step * stepMs) / 1000,
    refusal: null,
  },
}));

async function report(what: string, changes: (step: number) => Partial<Status>): Promise<void> {
  for (const { topic, text } of listener.received) rows.note(topic, text);
  listener.forget();
  let forks = 0;
  const onFork = () => {
    forks += 1;
  };
  subscribe('child_process', onFork);
  const before = process.cpuUsage();
  const startedMs = performance.now();
  for (let step = 0; step < (seconds * 1000) / stepMs; step += 1) {
    running.status.set(changes(step));
    if ((step * stepMs) % 15_000 === 0) renderMetrics(running.status.current());
    await sleep(stepMs);
  }
  const { user, system } = process.cpuUsage(before);
  const minutes = (performance.now() - startedMs) / 60_000;
  unsubscribe('child_process', onFork);
  rows.forget();
  for (const { topic, text } of listener.received) rows.note(topic, text);
  const bytes = listener.received.reduce((sum, message) => sum + message.bytes.length, 0);
  const cpuPercent = (user + system) / ((minutes * 60_000_000) / 100);
  console.log(
    [
      `${what}:`,
      `CPU ${cpuPercent.toFixed(2)} % of one core`,
      `${(forks / minutes).toFixed(1)} forks`,
      `${(listener.received.length / minutes).toFixed(1)} messages`,
      `${((rows.total / minutes) * 60).toFixed(0)} rows an hour in Home Assistant's recorder`,
      `${(bytes / 1024 / minutes).toFixed(0)} KiB a minute`,
    ].join(' '),
  );
}

/** The machine's real figures, and two feeds whose figures wander as real ones do. */
function wander(step: number): Partial<Status> {
  const status = running.status.current();
  const feeds = status.feeds.map((feed, index) => ({
    ...feed,
    fps: 29.97 + noise(step, index) * 0.3,
    bitrateKbps: 6000 * (1 + noise(step, index + 2) * 0.08),
    latencyMs: 32 + noise(step, index + 4) * 6,
    framesTotal: feed.framesTotal + 8,
  }));
  if (step % 8 !== 0) return { feeds };
  const { clockSynced, uptimeS, disks, ...sample } = host.sample();
  return {
    feeds,
    host: {
      ...status.host,
      ...sample,
      disks: disks.map((disk) => ({ ...disk, wearPercent: null })),
      network: sample.network.map((one) => ({ ...one, addresses: [...one.addresses] })),
      clock: { synced: clockSynced, offsetMs: 0.4 + noise(step, 7) },
    },
    device: { ...status.device, uptimeS },
  };
}

/** The same each time, between -1 and 1. */
function noise(step: number, seed: number): number {
  return Math.sin(step * 12.9898 + seed * 78.233);
}
