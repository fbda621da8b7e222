import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf, probeFile, type RunProgram, SourceFileError } from './probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'source-file-'));
const at = (name: string) => join(folder, name);
const run: RunProgram = async ([program, ...args]) => {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout).split('\n');
  }
};
const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=0.4'];
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast'];
const [eight, ten] = [
  ['-pix_fmt', 'yuv420p'],
  ['-pix_fmt', 'yuv420p10le'],
];
const make = (name: string, ...args: string[]) =>
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, at(name)], { stdio: 'inherit' });

beforeAll(() => {
  make('plain.mp4', ...picture, ...x264, '-bf', '0');
  make('plain.mkv', ...picture, ...x264, '-bf', '0');
  make('plain h265.mp4', ...picture, ...x265, '-x265-params', 'log-level=none:bframes=0', ...eight);
  make('reordered h265.mkv', ...picture, ...x265, '-x265-params', 'log-level=none:bframes=2', ...eight);
  make('ten bits.mkv', ...picture, ...x265, '-x265-params', 'log-level=none:bframes=0', ...ten);
  make('reordered.mp4', ...picture, '-c:v', 'libx264', '-bf', '2', '-pix_fmt', 'yuv420p');
  make('full.mp4', ...picture, '-c:v', 'libx264', '-bf', '0', '-pix_fmt', 'yuvj444p');
  make('odd.mkv', '-f', 'lavfi', '-i', 'testsrc2=s=321x181:r=30000/1001:d=0.4', '-c:v', 'ffv1');
  make('still.png', ...picture, '-frames:v', '1');
  make('sound.m4a', '-f', 'lavfi', '-i', 'sine=d=0.2');
  writeFileSync(at('text.mp4'), 'no video\n');
  writeFileSync(at('empty.mp4'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a file that can be played', () => {
  it.each([
    ['plain.mp4', { width: 320, height: 180, fps: 25, range: 'limited', copyable: 'h264' }],
    ['plain.mkv', { width: 320, height: 180, fps: 25, pixelFormat: 'yuv420p', copyable: 'h264' }],
    ['plain h265.mp4', { width: 320, height: 180, fps: 25, pixelFormat: 'yuv420p', copyable: 'hevc' }],
    ['reordered h265.mkv', { copyable: null }],
    ['ten bits.mkv', { copyable: null }],
    ['reordered.mp4', { width: 320, fps: 25, copyable: null }],
    ['full.mp4', { pixelFormat: 'yuv444p', range: 'full', copyable: null }],
    ['odd.mkv', { width: 320, height: 180, fps: 30000 / 1001, copyable: null }],
  ] as const)('%s', async (name, facts) => {
    expect(await probeFile(at(name), run)).toMatchObject(facts);
  });

  it('counts as another file once its content changes', async () => {
    const before = await probeFile(at('plain.mp4'), run);
    expect(await probeFile(at('plain.mp4'), run)).toEqual(before);
    make('plain.mp4', '-t', '0.2', ...picture, ...x264, '-bf', '0');
    expect((await probeFile(at('plain.mp4'), run)).identity).not.toBe(before.identity);
  });

  it('has its displayed size if it is rotated, and is not copied', () => {
    const stream = {
      codec_name: 'h264',
      width: 1920,
      height: 1080,
      avg_frame_rate: '30/1',
      pix_fmt: 'yuv420p',
    };
    const answer = (rotation: number) =>
      JSON.stringify({
        streams: [{ ...stream, side_data_list: [{ rotation }] }],
        format: { format_name: 'mov,mp4' },
      });
    expect(factsOf('x', answer(-90))).toMatchObject({ width: 1080, height: 1920, copyable: null });
    expect(factsOf('x', answer(180))).toMatchObject({ width: 1920, height: 1080, copyable: null });
    expect(factsOf('x', answer(0))).toMatchObject({ width: 1920, height: 1080, copyable: 'h264' });
  });
});

describe('a file that cannot be played says why', () => {
  it.each([
    ['missing.mp4', /does not exist\. Copy the video there/],
    ['plain.mp4/inside.mp4', /does not exist/],
    ['', /is not a file/],
    ['text.mp4', /is not a video file/],
    ['empty.mp4', /is not a video file/],
    ['sound.m4a', /has no video/],
    ['still.png', /has no video/],
  ])('%j', async (name, words) => {
    const refused = probeFile(at(name), run);
    await expect(refused).rejects.toThrow(SourceFileError);
    await expect(refused).rejects.toThrow(words);
  });

  it('a program that never answers', () => {
    expect(() => factsOf('/x', '')).toThrow(SourceFileError);
    expect(() => factsOf('/x', '{"streams":[{"width":7}],"format":{"format_name":"avi"}}')).toThrow(
      /damaged/,
    );
  });
});
