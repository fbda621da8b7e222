import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RpicamSource } from '../../capture/kinds/index.ts';
import { SourceHandler } from '../../capture/source-handler.ts';
import { Recorder } from '../recorder/recorder.ts';
import { cameraOf, RecordingRig, until } from '../recorder/recording-rig.fake.ts';
import type { Segment } from '../take/manifest.ts';
import { Take } from '../take/take.ts';

const never = new AbortController().signal;
const fps = 30;
const fake = join(import.meta.dirname, '../../capture/rpicam-vid.fake.ts');

describe('a take of a camera module', { timeout: 180_000 }, () => {
  let rig: RecordingRig;
  let ending: AbortController;
  let working: Promise<unknown>[];

  beforeEach(async () => {
    rig = await RecordingRig.open();
    ending = new AbortController();
    working = [];
    const bin = join(rig.folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'rpicam-vid'), `#!/bin/sh\nexec '${process.execPath}' '${fake}' "$@"\n`);
    await chmod(join(bin, 'rpicam-vid'), 0o755);
    vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
    vi.stubEnv('FAKE_SENSOR_SKIPS', '20,21,30/40');
  });

  afterEach(async () => {
    ending.abort();
    await Promise.all(working);
    vi.unstubAllEnvs();
    await rig[Symbol.asyncDispose]();
  });

  it('distinguishes frames that its sensor left out from frames lost later, and dates each one', async () => {
    const handler = startCamera();
    const { take, recording } = await startTake(handler);
    await until(() => recording.frames() >= 90);
    rig.child('record-').signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    rig.child('record-').signal('SIGCONT');
    await until(() => recording.frames() >= 200);
    await recording.stop();

    const [segment] = cameraOf(take).segments;
    const numbers = await expectTruth(take, segment);
    expect(segment?.droppedFrames).toBeGreaterThan((segment?.sensorTimes?.skippedFrames ?? 0) + 15);
    expect(segment?.sensorTimes?.largestGapMs).toBeGreaterThan(1000);
    expect(numbers.length).toBeGreaterThan(150);
    expect((await readdir(join(take.folder, 'cam0'))).toSorted()).toEqual([
      '0001.framemd5',
      '0001.mkv',
      '0001.pts',
    ]);
  });

  it('continues in the next segment after the sensor froze', async () => {
    const handler = startCamera();
    const { take, recording } = await startTake(handler);
    await until(() => recording.frames() >= 60);
    rig.child('capture-').signal('SIGUSR1');
    await until(() => cameraOf(take).segments.length === 2 && recording.frames() >= 60);
    await recording.stop();

    expect(handler.status.restarts).toBe(1);
    const [first, second] = cameraOf(take).segments;
    await expectTruth(take, first);
    await expectTruth(take, second);
    expect(second?.droppedBefore).toBeGreaterThan(2 * fps);
  });

  it('reports the loss between two segments when its recorder is killed', async () => {
    const { take, recording } = await startTake(startCamera());
    await until(() => recording.frames() >= 60);
    rig.child('record-').signal('SIGKILL');
    await until(() => cameraOf(take).segments.length === 2 && recording.frames() >= 60);
    await recording.stop();

    const [first, second] = cameraOf(take).segments;
    const before = numbersIn(take.files('cam0', 1).master).at(-1) ?? 0;
    const [after = 0] = await expectTruth(take, second);
    expect(first).toMatchObject({ clean: false, sensorTimes: { source: 'save-pts' } });
    // The last frames of the killed one may be dated by their arrival, late as that may be.
    expect(Math.abs((second?.droppedBefore ?? 0) - (after - before - 1))).toBeLessThanOrEqual(5);
  });

  it('loses no times when the program crashes and another one takes over', async () => {
    const before = await startTake(startCamera());
    await until(() => before.recording.frames() >= 60);
    rig.host = rig.host.crash();
    ending.abort();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    ending = new AbortController();
    working = [];
    const handler = startCamera();
    const take = await Take.open(before.take.folder);
    if (take === undefined) throw new Error('the take is gone');
    const recording = record(take, handler);
    await until(() => recording.frames() >= 150);
    await recording.stop();

    expect(cameraOf(take).segments).toHaveLength(1);
    await expectTruth(take, cameraOf(take).segments[0]);
  });

  /** Holds what take.json and the list of times say against the numbers that the frames of the master bear. */
  async function expectTruth(take: Take, segment: Segment | undefined): Promise<readonly number[]> {
    if (segment === undefined) throw new Error('there is no such segment');
    const files = take.files('cam0', segment.number);
    const numbers = numbersIn(files.master);
    const [first = 0, last = 0] = [numbers[0], numbers.at(-1)];
    const never = Array.from({ length: last - first }, (_, i) => (first + i) % 40);
    expect(segment.sensorTimes).toMatchObject({
      source: 'save-pts',
      frames: numbers.length,
      file: `cam0/000${segment.number}.pts`,
      first: segment.firstTimestamp,
      last: segment.lastTimestamp,
      skippedFrames: never.filter((number) => [20, 21, 30].includes(number)).length,
    });
    expect(segment.droppedFrames).toBe(last - first + 1 - numbers.length);
    const times = (await readFile(files.sensorTimes, 'utf8')).trim().split('\n').slice(1).map(Number);
    expect(times).toHaveLength(numbers.length);
    times.forEach((timeMs, i) => {
      expect(Math.abs(timeMs - (((numbers[i] ?? 0) - first) * 1e3) / fps)).toBeLessThan(1);
    });
    return numbers;
  }

  function startCamera(): SourceHandler {
    const { host, logger, pipe, rtpPort, folder } = rig;
    const source: RpicamSource = {
      kind: 'rpicam',
      id: 'cam0',
      camera: 0,
      width: 320,
      height: 180,
      fps,
      bitrateKbps: 500,
      ptsFile: join(folder, 'cam0.pts'),
    };
    const encoder = { encoder: 'libx264', reason: 'test' } as const;
    const targets = { rtpPort, encoder, rawPipe: pipe };
    const handler = new SourceHandler({ host, logger, source, targets });
    working.push(handler.run(ending.signal));
    const telling = setInterval(() => handler.noteFrames(rig.arrivals.length), 100);
    ending.signal.addEventListener('abort', () => clearInterval(telling));
    return handler;
  }

  async function startTake(handler: SourceHandler) {
    await until(() => handler.status.state === 'running');
    const take = await Take.create(join(rig.folder, 'take'), {
      version: 1,
      id: 'take',
      startedAt: new Date().toISOString(),
      stoppedAt: null,
      wanted: true,
      state: 'starting',
      cameras: {},
    });
    return { take, recording: record(take, handler) };
  }

  function record(take: Take, handler: SourceHandler) {
    const stopping = new AbortController();
    let frames = 0;
    const recorder = new Recorder(take, {
      host: rig.host,
      logger: rig.logger,
      camera: 'cam0',
      pipe: () => rig.pipe,
      raw: handler.raw,
      codec: 'ffv1',
      strategy: 'direct',
      strategyReason: 'test',
      threads: 2,
      reserveBytes: 1,
      sensorClock: () => handler.sensorClock,
      onProgress: (progress) => {
        frames = progress.frames;
      },
    });
    const done = recorder.run(stopping.signal, never);
    const stop = async () => {
      stopping.abort();
      await done;
      expect(cameraOf(take).state).toBe('verified');
    };
    return { frames: () => frames, stop };
  }
});

/** The numbers the fake wrote into its frames. */
function numbersIn(master: string): number[] {
  const corner = ['-vf', 'crop=4:2:0:0', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'yuv420p'];
  const pixels = execFileSync('ffmpeg', ['-v', 'fatal', '-i', master, ...corner, '-']);
  const frameBytes = 12;
  return Array.from({ length: pixels.length / frameBytes }, (_, i) => pixels.readUInt32BE(i * frameBytes));
}
