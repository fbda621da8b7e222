import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpawningChildHost } from '../../../common/child-host.fake.ts';
import type { ChildHost } from '../../../common/child-host.ts';
import type { RawStream } from '../../capture/types.ts';
import { isDiskTrouble, onlyAttempt } from '../disk/disk-trouble.ts';
import { type MasterStrategy, recordArgv } from '../recorder/recorder-command.ts';
import type { CameraRecord } from '../take/manifest.ts';
import { Take } from '../take/take.ts';
import { recordFixture, segmentFixture } from '../take/take-manifest.fixture.ts';
import { readableFrameLog } from './frame-log.ts';
import { closeSegment, recounted } from './segment-close.ts';

const raw: RawStream = {
  codec: 'rawvideo',
  pixelFormat: 'yuv420p',
  range: 'limited',
  fps: 30,
  width: 64,
  height: 64,
  clock: 'epoch',
};
/** The recorder leaves the first of the 31 frames out. */
const frames = 30;
const notDecoded: ChildHost = {
  spawn: async (spec) => ({
    name: spec.name,
    pid: 1,
    adopted: false,
    exited: Promise.resolve({ code: null, signal: 'SIGKILL' }),
    stop: async () => ({ code: null, signal: 'SIGKILL' as const }),
    [Symbol.asyncDispose]: async () => {},
  }),
};

/** A program that does nothing but say this, and ends as if all were well. */
const saying = (words: string): ChildHost => ({
  spawn: async (spec, onLine) => {
    if (words !== '') onLine?.({ stream: 'stderr', text: words });
    const end = { code: 0, signal: null };
    return {
      name: spec.name,
      pid: 1,
      adopted: false,
      exited: Promise.resolve(end),
      stop: async () => end,
      [Symbol.asyncDispose]: async () => {},
    };
  },
});
const saysNothing = saying('');
const meetsAnError = saying('[error] Error writing trailer of file:out: Input/output error');

describe('the loss between two segments', () => {
  const first = {
    firstTimestamp: '2026-11-22T12:00:00.000000Z',
    lastTimestamp: '2026-11-22T12:00:03.000000Z',
  };
  const times = { frames: 91, droppedFrames: 0, droppedBefore: 0 };
  const second = {
    firstTimestamp: '2026-11-22T12:00:03.100000Z',
    lastTimestamp: '2026-11-22T12:00:06.100000Z',
  };
  const record = recordFixture({
    segments: [segmentFixture(1, { ...times, ...first }), segmentFixture(2, { ...times, ...second })],
    unreadable: [],
    clockSteps: [],
  });

  it('is counted again once the earlier segment is closed, if that happens second', () => {
    expect(recounted(record, 1).segments.map(({ droppedBefore }) => droppedBefore)).toEqual([0, 2]);
  });

  it('stays unchanged after the last segment and while the next one is recorded', () => {
    expect(recounted(record, 2)).toBe(record);
    const [one, two] = record.segments;
    if (one === undefined || two === undefined) throw new TypeError('two segments are given');
    const growing = { ...record, segments: [one, { ...two, state: 'recording' as const }] };
    expect(recounted(growing, 1)).toBe(growing);
  });
});

describe('closeSegment after a power cut', { timeout: 60_000 }, () => {
  let folder: string;
  let take: Take;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'segment-close-'));
    take = await Take.create(join(folder, 'take'), {
      version: 1,
      id: 'take',
      startedAt: new Date().toISOString(),
      stoppedAt: null,
      wanted: true,
      state: 'recording',
      cameras: {},
    });
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['direct', frames],
    ['spool', frames - 1],
  ] as const)(
    'recovers from the file what its damaged log no longer contains (%s)',
    async (strategy, found) => {
      const files = await record(strategy);
      const text = await readFile(files.reference, 'utf8');
      const lines = text.split('\n');
      const half = lines.slice(0, lines.length / 2).join('\n');
      await writeFile(files.reference, `${half}\n${'\0'.repeat(200)}\n${'\0'.repeat(100)}`);
      const { segment: closed } = await close(strategy, new SpawningChildHost());
      expect(closed?.frames).toBe(found);
      const md5s = ({ log }: ReturnType<typeof readableFrameLog>) => log.frames.map(({ md5 }) => md5);
      const rewritten = readableFrameLog(await readFile(files.reference, 'utf8'));
      expect(rewritten.damaged).toBeNull();
      expect(md5s(rewritten)).toEqual(md5s(readableFrameLog(text)).slice(0, found));
    },
  );

  it.each(['', '\0'.repeat(3000)])(
    'recovers the frames without any log and dates them by the file',
    async (text) => {
      const files = await record('direct');
      await writeFile(files.reference, text);
      const { segment: closed } = await close('direct', new SpawningChildHost());
      expect(closed?.frames).toBe(frames);
      const { mtimeMs } = await stat(files.master);
      expect(Math.abs(Date.parse(closed?.lastTimestamp ?? '') - mtimeMs)).toBeLessThan(60_000);
    },
  );

  it('keeps the count of received frames if they cannot be decoded now', async () => {
    const { master } = await record('direct');
    expect((await close('direct', notDecoded)).segment?.frames).toBe(frames);
    expect((await stat(master)).size).toBeGreaterThan(0);
  });

  it('does not trust an answer without frames, and counts the received ones if it stays so', async () => {
    const files = await record('direct');
    const { size } = await stat(files.master);
    const first = close('direct', saysNothing, { number: 1, isLast: false });
    await expect(first).rejects.toMatchObject({ code: 'FFMPEG_EMPTY' });
    expect(isDiskTrouble(await first.catch((error: unknown) => error))).toBe(true);
    expect((await stat(files.master)).size).toBe(size);

    const { segment, unreadable } = await close('direct', saysNothing, { number: 2, isLast: false });
    expect(segment).toBeUndefined();
    expect(unreadable).toMatchObject({ number: 1, bytes: size, frames });
    expect((await stat(join(take.folder, unreadable?.file ?? ''))).size).toBe(size);
    const kept = await readdir(join(take.folder, 'cam0'));
    expect(kept.toSorted()).toEqual([
      expect.stringMatching(/^0001\.framemd5\.unreadable-/),
      expect.stringMatching(/^0001\.mkv\.unreadable-/),
    ]);
  });

  it('asks again after a disk error, and finally keeps the count of received frames', async () => {
    const { master } = await record('direct');
    const first = close('direct', meetsAnError, { number: 1, isLast: false });
    await expect(first).rejects.toMatchObject({ code: 'FFMPEG_NO_ANSWER' });
    const { segment } = await close('direct', meetsAnError, { number: 6, isLast: true });
    expect(segment).toMatchObject({ frames, clean: false, verified: null });
    expect((await stat(master)).size).toBe(segment?.bytes);
  });

  it('never removes a file that may contain pictures', async () => {
    const { master, reference } = await record('direct');
    const { size } = await stat(master);
    await writeFile(master, Buffer.alloc(size));
    await truncate(reference, 0);
    const closed = await close('direct', new SpawningChildHost());
    const [kept, ...others] = await readdir(join(take.folder, 'cam0'));
    expect(kept).toMatch(/^0001\.mkv\.unreadable-\d+$/);
    expect(others).toEqual([]);
    expect(closed).toMatchObject({
      segment: undefined,
      unreadable: { number: 1, file: `cam0/${kept}`, bytes: size, frames: null },
    });
    expect((await stat(join(take.folder, 'cam0', kept ?? ''))).size).toBe(size);
  });

  it.each([
    ['spool', 'half of it', 0.75, 1],
    ['spool', 'all of it', 1.5, 1],
    // Its size does not tell: compressed, many frames may take less than one raw frame.
    ['direct', 'a part of it', 0.7, null],
  ] as const)(
    'counts the only raw frame as one dropped where a power cut left %s: %s, and nothing of its log',
    async (strategy, _what, share, lost) => {
      const files = await record(strategy);
      const recorded = strategy === 'spool' ? files.spool : files.master;
      await truncate(recorded, Math.round(share * 64 * 64 * 1.5));
      await truncate(files.reference, 0);
      const { segment, unreadable } = await close(strategy, new SpawningChildHost());
      expect(segment).toBeUndefined();
      expect(unreadable).toMatchObject({ number: 1, frames: lost });
    },
  );

  /** Records a file of frames as a recorder does its pipe. */
  async function record(strategy: MasterStrategy) {
    const files = take.files('cam0', 1);
    const input = join(folder, 'frames.nut');
    const noise = 'testsrc2=s=64x64:r=30,noise=alls=40:allf=t,format=yuv420p';
    run(['ffmpeg', '-f', 'lavfi', '-i', noise, '-frames:v', `${frames + 1}`, '-c:v', 'rawvideo', input]);
    run(['mkdir', '-p', join(take.folder, 'cam0')]);
    run(recordArgv(input, files, strategy, { codec: 'ffv1', raw, threads: 1 }));
    return files;
  }

  async function close(strategy: MasterStrategy, host: ChildHost, attempt = onlyAttempt) {
    const record: CameraRecord = {
      state: 'recording',
      reason: null,
      codec: 'ffv1',
      strategy,
      strategyReason: '',
      source: raw,
      threads: 1,
      frames: 0,
      droppedFrames: 0,
      segments: [],
      unreadable: [],
      clockSteps: [],
    };
    const logger = pino({ level: 'silent' });
    const signal = new AbortController().signal;
    const how = { clean: false, previous: undefined, signal, attempt };
    return closeSegment({ host, logger, take, camera: 'cam0', number: 1, record, ...how });
  }
});

function run([program = '', ...args]: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args);
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}
