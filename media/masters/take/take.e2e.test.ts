import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Recorder } from '../recorder/recorder.ts';
import {
  cameraOf,
  contiguousFrom,
  RecordingRig,
  type RtpArrival,
  readFrames,
  until,
} from '../recorder/recording-rig.fake.ts';
import { TakeStore } from './take-store.ts';

const never = new AbortController().signal;

describe('a take', { timeout: 180_000 }, () => {
  let rig: RecordingRig;

  beforeEach(async () => {
    rig = await RecordingRig.open();
  });

  afterEach(() => rig[Symbol.asyncDispose]());

  it('of 20 s contains every captured frame, bit by bit', async () => {
    await rig.startCapture();
    const { take, stop, done } = await record();
    await until(() => cameraOf(take).state === 'recording');
    await sleep(20_000);
    stop();
    await done;
    const record0 = cameraOf(take);
    const kept = await readFrames(take.files('cam0', 1).reference);
    contiguousFrom(kept, await rig.witnessed());
    expect(record0).toMatchObject({ state: 'verified', droppedFrames: 0, frames: kept.length });
    expect(kept.length).toBeGreaterThan(500);
    expect(record0.segments).toHaveLength(1);
  });

  it('never delays the live stream, even if its recorder stops for 3 s', async () => {
    await rig.startCapture();
    const { take, stop, done } = await record();
    await until(() => cameraOf(take).state === 'recording');
    await sleep(1000);
    const before = rig.arrivals.length;
    await sleep(3000);
    const normal = rig.arrivals.slice(before);
    const from = rig.arrivals.length;
    rig.child('record-').signal('SIGSTOP');
    await sleep(3000);
    const during = rig.arrivals.slice(from);
    rig.child('record-').signal('SIGCONT');
    await sleep(1500);
    stop();
    await done;

    expect(missingSequenceNumbers(rig.arrivals)).toBe(0);
    const frames = (arrivals: readonly RtpArrival[]) => arrivals.filter(({ marker }) => marker).length;
    expect(frames(during)).toBeGreaterThan(frames(normal) / 2);
    const gap = (arrivals: readonly RtpArrival[]) => largestGapMs(arrivals).toFixed(0);
    process.stdout.write(
      `live: largest gap ${gap(normal)} ms normally, ${gap(during)} ms while the recorder stood still; ` +
        `${frames(normal)} and ${frames(during)} frames in 3 s\n`,
    );
    const record0 = cameraOf(take);
    // What the recorder missed is stated, and what it has is right.
    expect(record0.droppedFrames).toBeGreaterThan(0);
    expect(record0.state).toBe('verified');
    const all = new Set((await rig.witnessed()).map(({ md5 }) => md5));
    const kept = await readFrames(take.files('cam0', 1).reference);
    expect(kept.every(({ md5 }) => all.has(md5))).toBe(true);
  });

  async function record() {
    const { host, logger, pipe, folder } = rig;
    const store = new TakeStore({ logger, roots: () => [folder] });
    const take = await store.createTake('long', new Date());
    const stop = new AbortController();
    const recorder = new Recorder(take, {
      host,
      logger,
      camera: 'cam0',
      pipe: () => pipe,
      raw: rig.command().raw,
      codec: 'ffv1',
      strategy: 'direct',
      strategyReason: 'test',
      threads: 2,
      reserveBytes: 1,
    });
    await recorder.prepare();
    return { take, stop: () => stop.abort(), done: recorder.run(stop.signal, never) };
  }
});

function missingSequenceNumbers(arrivals: readonly RtpArrival[]): number {
  let missing = 0;
  arrivals.slice(1).forEach(({ sequence }, index) => {
    missing += (sequence - (arrivals[index]?.sequence ?? 0) - 1) & 0xffff;
  });
  return missing;
}

function largestGapMs(arrivals: readonly RtpArrival[]): number {
  return Math.max(0, ...arrivals.slice(1).map(({ atMs }, index) => atMs - (arrivals[index]?.atMs ?? atMs)));
}
