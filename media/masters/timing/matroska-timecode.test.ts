import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MatroskaError } from '../errors.ts';
import { timecodePlaceholder } from '../recorder/recorder-command.ts';
import { until } from '../recorder/recording-rig.fake.ts';
import { patchTimecode, writeTimecode } from './matroska-timecode.ts';

describe('writeTimecode', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'timecode-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('produces the same file as ffmpeg with the timecode', async () => {
    const [patched, known] = [join(folder, 'a.mkv'), join(folder, 'b.mkv')];
    record(patched, timecodePlaceholder);
    record(known, '12:34:56:07');
    await writeTimecode(patched, '12:34:56:07');
    expect(await readFile(patched)).toEqual(await readFile(known));
    await expect(writeTimecode(patched, '12:34:56:08')).rejects.toThrow(MatroskaError);
  });

  it('also finds the place in a file of a killed writer, with a Void element in place of the checksum', async () => {
    const file = join(folder, 'killed.mkv');
    await recordAndKill(file);
    await writeTimecode(file, '12:34:56:07');
    const tag = ['-v', 'error', '-show_entries', 'stream_tags=timecode', '-of', 'csv=p=0', file];
    expect(execFileSync('ffprobe', tag).toString().trim()).toBe('12:34:56:07');
  });

  it('rejects a file without a place for it', async () => {
    const file = join(folder, 'c.mkv');
    await writeFile(file, Buffer.alloc(1000));
    await expect(writeTimecode(file, '12:34:56:07')).rejects.toThrow(MatroskaError);
  });

  it('finds nothing in bytes that are not Matroska, and never throws on them', () => {
    const tags = fc.constantFrom(
      [0x12, 0x54, 0xc3, 0x67],
      [0xbf, 0x84],
      [0x44, 0x87, 0x8b],
      [0x40],
      [0xff],
      [0],
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(tags, fc.array(fc.nat({ max: 255 })))), (parts) => {
        expect(patchTimecode(Buffer.from(parts.flat()), '12:34:56:07')).toBeUndefined();
      }),
    );
  });
});

async function recordAndKill(file: string): Promise<void> {
  const frames = ['-re', '-f', 'lavfi', '-i', 'testsrc2=s=64x64', '-c:v', 'ffv1'];
  const output = ['-metadata:s:v:0', `timecode=${timecodePlaceholder}`, '-flush_packets', '1', '-y', file];
  const child = spawn('ffmpeg', ['-v', 'error', ...frames, '-cluster_time_limit', '100', ...output]);
  await until(async () => ((await stat(file).catch(() => null))?.size ?? 0) > 8000);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function record(file: string, timecode: string): void {
  const frames = ['-f', 'lavfi', '-i', 'testsrc2=s=64x64', '-frames:v', '3', '-c:v', 'ffv1'];
  const exact = ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-metadata:s:v:0', `timecode=${timecode}`];
  execFileSync('ffmpeg', ['-v', 'error', ...frames, ...exact, '-y', file]);
}
