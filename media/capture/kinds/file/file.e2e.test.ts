import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { camelCaseKeys } from '../../../../common/camel-case.ts';
import { RecordingRig, readFrames, until } from '../../../masters/recorder/recording-rig.fake.ts';
import { freeRtpPort } from '../../../signaling/media-rig.fake.ts';
import { ensureRawPipe } from '../../raw-pipe.ts';
import { buildCapture, type SourceMachine } from '../index.ts';
import { kind } from './index.ts';

const fileFrames = 15;
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-pix_fmt', 'yuv420p'];
const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x265-params'];
const plain265 = 'log-level=none:bframes=0:keyint=5';
const videos = [
  ["it's copied.mp4", [...x264, '-bf', '0'], true],
  ['copied.mkv', [...x264, '-bf', '0'], true],
  ["it's H.265.mp4", [...x265, plain265], true],
  ['H.265 with its headers.mkv', [...x265, `${plain265}:repeat-headers=1`], true],
  ['small beside H.265.mkv', [...x265, plain265], true],
  ['reordered H.265.mp4', [...x265, 'log-level=none:bframes=2'], false],
  ['reordered.mp4', ['-c:v', 'libx264', '-bf', '2', '-pix_fmt', 'yuv420p'], false],
  ['uncompressed.mkv', ['-c:v', 'ffv1', '-pix_fmt', 'yuv422p'], false],
  // A small layer takes nothing from what recorders get.
  ['small beside a copy.mp4', [...x264, '-bf', '0'], true],
  ['small beside frames.mkv', ['-c:v', 'ffv1', '-pix_fmt', 'yuv422p'], false],
] as const;
const smallLayer = { width: 160, everyNth: 1, fps: 25, bitrateKbps: 100 };

const ffmpeg = (...args: string[]) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args]);

describe('a video file as a source', () => {
  let rig: RecordingRig;
  beforeEach(async () => {
    rig = await RecordingRig.open();
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  it.each(videos)('%s: repeats every frame at the rate of the file', async (name, codec, copies) => {
    const file = join(rig.folder, name);
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25', '-frames:v', `${fileFrames}`, ...codec, file);
    const expected = join(rig.folder, 'expected');
    ffmpeg('-i', file, '-c:v', 'rawvideo', '-fps_mode', 'passthrough', '-f', 'framemd5', expected);
    const frames = (await readFrames(expected)).map(({ md5 }) => md5);
    expect(frames).toHaveLength(fileFrames);

    const machine: SourceMachine = {
      camera: null,
      modeOf: () => null,
      path: (named) => named,
      secret: async () => '',
      runFile: (one) => join(rig.folder, one),
      run: async ([program, ...args]) => execFileSync(program, args, { encoding: 'utf8' }).split('\n'),
    };
    const settings = kind.settings.parse({ id: 'cam0', kind: 'file', path: file });
    const spec = await kind.specOf(camelCaseKeys(kind.settings, settings), machine);
    expect(spec).toMatchObject({ copies, width: 320, height: 180, fps: 25 });
    await ensureRawPipe(rig.host, rig.pipe);
    const encoder = { encoder: copies ? 'copy' : 'libx264', reason: 'test' } as const;
    const { argv, raw } = buildCapture(spec, {
      rtpPort: rig.rtpPort,
      encoder,
      rawPipe: rig.pipe,
      witness: rig.witness(),
      ...(name.startsWith('small') ? { small: { ...smallLayer, rtpPort: await freeRtpPort() } } : {}),
    });
    await rig.host.spawn({ name: 'capture-cam0', argv, durable: true, stopTimeoutMs: 500 });
    // What a recorder gets, from the moment it opens the pipe.
    const taken = join(rig.folder, 'taken');
    const reader = ['ffmpeg', '-v', 'error', '-y', '-f', 'nut', '-i', `file:${rig.pipe}`, '-frames:v', '40'];
    const decoded = ['-c:v', 'rawvideo', '-fps_mode', 'passthrough', '-f', 'framemd5', taken];
    const recorder = await rig.host.spawn({ name: 'reader', argv: [...reader, ...decoded] as ['ffmpeg'] });
    await until(() => rig.arrivals.filter(({ marker }) => marker).length > 3 * fileFrames);
    expect((await recorder.exited).code).toBe(0);

    const seen = (await readFrames(rig.witness())).map(({ md5 }) => md5);
    expect(seen.length).toBeGreaterThan(2 * fileFrames);
    expect(seen).toEqual(seen.map((_, index) => frames[index % fileFrames]));
    const got = (await readFrames(taken)).map(({ md5 }) => md5);
    const first = frames.indexOf(got[0] ?? '');
    expect(got).toEqual(got.map((_, index) => frames[(first + index) % fileFrames]));
    expect(got).toHaveLength(40);
    const copied = name.includes('H.265') ? 'hevc' : 'h264';
    expect(raw.codec).toBe(copies ? copied : 'rawvideo');

    // Timestamps continue evenly across the end of the file.
    const times = timesOf(readFileSync(rig.witness(), 'utf8'));
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    const spread = Math.max(...steps) - Math.min(...steps);
    expect(spread).toBeLessThanOrEqual(Math.max(...steps) * 0.1);
  });
});

/** Presentation times of a framemd5 file, in units of its time base. */
function timesOf(text: string): number[] {
  const lines = text.split('\n').filter((line) => /^0,/.test(line) && line.split(',').length === 6);
  return lines.map((line) => Number(line.split(',')[2]));
}
