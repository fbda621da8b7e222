import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DiskFaults,
  type DiskRule,
  nothingIsWritten,
} from '../../../scripts/testing/disk-faults/disk-faults.ts';
import type { LoggedFrame } from '../segment/frame-log.ts';
import { takeManifestSchema } from '../take/manifest.ts';
import { cameraOf, readFrames, until } from './recording-rig.fake.ts';

const recorder = join(import.meta.dirname, 'recorder-process.fake.ts');
/** A disk error that passes. */
const errorMs = 3000;
const onlyTheRecorder = ['write EIO only cam0/0001.'] satisfies DiskRule[];

describe('a take whose disk fails for 3 s', { timeout: 120_000 }, () => {
  let folder: string;
  let faults: DiskFaults;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'failing-disk-'));
    faults = await DiskFaults.over(folder);
  });

  afterEach(async () => {
    await faults[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ['direct', 'EIO', nothingIsWritten('EIO', 'takes/')],
    ['spool', 'EIO', nothingIsWritten('EIO', 'takes/')],
    ['direct', 'ENOSPC', nothingIsWritten('ENOSPC', 'takes/')],
    ['spool', 'ENOSPC', nothingIsWritten('ENOSPC', 'takes/')],
    ['direct', 'EROFS', nothingIsWritten('EROFS', 'takes/')],
    ['direct', 'EIO for the recorder alone', onlyTheRecorder],
    ['spool', 'EIO for the recorder alone', onlyTheRecorder],
    ['direct', 'EIO on syncing', ['sync EIO only takes/']],
    ['direct', 'EIO on renaming and closing', ['rename EIO only takes/', 'close EIO only takes/']],
    ['spool', 'EIO on opening', ['open EIO only takes/', 'openread EIO only takes/']],
    ['spool', 'syncing that takes seconds', ['sync delay 2500 only takes/']],
    ['direct', 'writes that come short', ['write short 777 only takes/']],
  ] as const)(
    'keeps and counts every frame from before and after it (%s, %s)',
    async (strategy, _name, rules) => {
      const recording = record(strategy);
      await until(() => recording.frames() >= 60);
      await faults.during(errorMs, rules);
      const written = await framesThere();
      await until(async () => recording.frames() >= 0 && (await framesThere()) >= written + 45);
      expect(await recording.stop()).toBe('done');

      const camera = cameraOf(takeManifestSchema.parse(JSON.parse(await readFile(manifestFile(), 'utf8'))));
      const captured = await readFrames(join(folder, 'witness-1.framemd5'));
      const names = await readdir(join(folder, 'takes', 'take', 'cam0'));
      expect(names.filter((name) => !/^\d{4}\.(mkv|framemd5)$/.test(name))).toEqual([]);
      const masters = await Promise.all(
        camera.segments.map(({ framemd5 }) => readFrames(join(folder, 'takes', 'take', framemd5.file))),
      );
      const kept = masters.map((frames) => placeOf(frames, captured));
      const [first, last] = [kept[0], kept.at(-1)];
      expect(camera).toMatchObject({ state: 'verified', frames: masters.flat().length });
      expect(camera.segments[0]?.frames).toBeGreaterThanOrEqual(60);
      // What take.json states as kept and as dropped is all there was, to the frame.
      expect(camera.frames + camera.droppedFrames).toBe((last?.end ?? 0) - (first?.start ?? 0));
    },
  );

  it('that keeps failing does not delay the end of the take, however often recording was tried', async () => {
    const recording = record('direct');
    await until(() => recording.frames() >= 60);
    await faults.set([...nothingIsWritten('EIO', 'takes/'), 'remove EIO only takes/']);
    await sleep(20_000);
    expect(await recording.stop()).toMatch(/^failed .*EIO/);
    // Once the pauses that one segment takes, and not those for each attempt.
    expect(recording.repeats()).toBe(5);
  });

  it('differs from a permanent failure: nothing unreadable counts as verified', async () => {
    const recording = record('direct');
    await until(() => recording.frames() >= 60);
    await faults.set(['read EIO only .mkv', 'write EIO only cam0/0001.']);
    recording.restart();
    await until(() => recording.frames() >= 30);
    await recording.stop();
    const camera = cameraOf(takeManifestSchema.parse(JSON.parse(await readFile(manifestFile(), 'utf8'))));
    expect(camera.state).not.toBe('verified');
    expect(camera.segments[0]?.frames).toBeGreaterThanOrEqual(60);
    expect(camera.segments.every(({ verified }) => verified?.ok !== true)).toBe(true);
  });

  /** Frames that reached the disk, in whatever segment. */
  async function framesThere(): Promise<number> {
    const cam0 = join(folder, 'takes', 'take', 'cam0');
    const logs = (await readdir(cam0)).filter((name) => name.endsWith('.framemd5'));
    // The log of a segment without a frame may go while it is read.
    const read = await Promise.allSettled(logs.map((name) => readFrames(join(cam0, name))));
    return read.reduce((sum, one) => sum + (one.status === 'fulfilled' ? one.value.length : 0), 0);
  }

  const manifestFile = () => join(folder, 'takes', 'take', 'take.json');

  /** Runs a recorder whose disk, and whose ffmpeg's disk, can fail. */
  function record(strategy: 'direct' | 'spool') {
    const env = { ...process.env, ...faults.environment, LOG_LEVEL: 'warn' };
    const child = spawn(process.execPath, [recorder, folder, strategy], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'] as const,
    });
    let frames = 0;
    let last = '';
    let repeats = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"the disk of the masters fails; trying again"')) repeats += 1;
      last = line;
      const found = /^frames (\d+)$/.exec(line);
      if (found !== null) frames = Number(found[1]);
    });
    let over = false;
    const ended = once(child, 'close').then(() => {
      over = true;
    });
    return {
      frames: () => {
        if (over) throw new Error(`the recording is over: ${last}`);
        return frames;
      },
      /** How often closing a segment was tried again. */
      repeats: () => repeats,
      /** What counts from now on are the frames of the next segment. */
      restart: () => {
        frames = 0;
      },
      stop: async () => {
        child.stdin.end('stop');
        await ended;
        return last;
      },
    };
  }
});

/** Positions of the kept frames among the captured ones; throws if one was not captured, or not in this order. */
function placeOf(frames: readonly LoggedFrame[], captured: readonly LoggedFrame[]) {
  const places: number[] = [];
  for (const { md5 } of frames) {
    const place = captured.findIndex((one, index) => index > (places.at(-1) ?? -1) && one.md5 === md5);
    if (place < 0) throw new Error(`frame ${places.length} kept was not captured after the one before it`);
    places.push(place);
  }
  return { start: places[0] ?? 0, end: (places.at(-1) ?? -1) + 1 };
}
