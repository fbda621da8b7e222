import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rawOutputArgs } from '../../capture/outputs.ts';
import { ensureRawPipe } from '../../capture/raw-pipe.ts';
import type { RawStream } from '../../capture/types.ts';
import { Recorder } from '../recorder/recorder.ts';
import { cameraOf, contiguousFrom, RecordingRig, readFrames, until } from '../recorder/recording-rig.fake.ts';
import { Take } from '../take/take.ts';

const size = { width: 320, height: 180, fps: 30 } as const;
const planar = 'yuv422p|yuv420p|yuv444p';
const jpeg: RawStream = { ...size, codec: 'mjpeg', pixelFormat: planar, range: 'full', clock: 'epoch' };
const h264: RawStream = { ...size, codec: 'h264', pixelFormat: planar, range: 'limited', clock: 'stream' };
const h265: RawStream = {
  ...h264,
  codec: 'hevc',
  pixelFormat: `${planar}|yuv420p10le|yuv422p10le|yuv444p10le`,
};
const x265 = [
  '-c:v',
  'libx265',
  '-preset',
  'ultrafast',
  '-crf',
  '20',
  '-x265-params',
  x265Options(),
] as const;
const yuyv: RawStream = {
  ...size,
  codec: 'rawvideo',
  pixelFormat: 'yuv422p',
  range: 'limited',
  clock: 'epoch',
};

/** What cameras deliver, and into what it decodes without any conversion of samples. */
const cameras = [
  ['JPEG 4:2:2', jpeg, ['-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj422p'], 'yuvj422p'],
  ['JPEG 4:2:0', jpeg, ['-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p'], 'yuvj420p'],
  ['H.264', h264, ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0'], 'yuv420p'],
  [
    'H.264, full range',
    h264,
    ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0', '-pix_fmt', 'yuvj420p'],
    'yuvj420p',
  ],
  ['H.265', h265, [...x265, '-pix_fmt', 'yuv420p'], 'yuv420p'],
  ['H.265 of ten bits', h265, [...x265, '-pix_fmt', 'yuv420p10le'], 'yuv420p10le'],
  ['YUYV', yuyv, ['-c:v', 'rawvideo', '-pix_fmt', 'yuyv422'], 'yuv422p'],
] as const;

describe('a master of packets as the camera sent them', { timeout: 120_000 }, () => {
  let rig: RecordingRig;

  beforeEach(async () => {
    rig = await RecordingRig.open();
  });

  afterEach(() => rig[Symbol.asyncDispose]());

  for (const strategy of ['direct', 'spool'] as const) {
    it.each(cameras)(`holds the exact samples of %s (${strategy})`, async (_name, raw, codec, decoded) => {
      const camera = join(rig.folder, 'camera.nut');
      const picture = [
        '-f',
        'lavfi',
        '-i',
        'testsrc2=s=320x180:r=30,noise=alls=20:allf=t',
        '-frames:v',
        '150',
      ];
      ffmpeg([...picture, ...codec, camera]);
      const expected = join(rig.folder, 'expected');
      ffmpeg(['-i', camera, '-pix_fmt', decoded, '-c:v', 'rawvideo', '-f', 'framemd5', expected]);

      await ensureRawPipe(rig.host, rig.pipe);
      const raw0 = rawOutputArgs(rig.pipe, { frameBytes: 100_000, fps: 30 });
      const feed = [
        'ffmpeg',
        '-v',
        'error',
        '-re',
        '-i',
        camera,
        '-map',
        '0:v',
        '-c:v',
        'copy',
        ...raw0,
      ] as const;
      const take = await aTake();
      const stop = new AbortController();
      let frames = 0;
      const recorder = new Recorder(take, {
        host: rig.host,
        logger: rig.logger,
        camera: 'cam0',
        pipe: () => rig.pipe,
        raw,
        codec: 'ffv1',
        strategy,
        strategyReason: 'test',
        threads: 2,
        reserveBytes: 1,
        onProgress: (progress) => {
          frames = Math.max(frames, progress.frames);
        },
      });
      const done = recorder.run(stop.signal, new AbortController().signal);
      await rig.host.spawn({ name: 'camera', argv: feed, stopTimeoutMs: 100 });
      await until(() => frames >= 30);
      stop.abort();
      await done;

      expect(cameraOf(take)).toMatchObject({ state: 'verified', segments: [{ verified: { ok: true } }] });
      const kept = await readFrames(take.files('cam0', 1).reference);
      contiguousFrom(kept, await readFrames(expected));
    });
  }

  function aTake(): Promise<Take> {
    return Take.create(join(rig.folder, 'take'), {
      version: 1,
      id: 'take',
      startedAt: new Date().toISOString(),
      stoppedAt: null,
      wanted: true,
      state: 'starting',
      cameras: {},
    });
  }
});

/** Without B-frames, and with few threads: the machine may be busy. */
function x265Options(): string {
  return 'keyint=10:bframes=0:repeat-headers=1:pools=1:frame-threads=1:log-level=error';
}

function ffmpeg(args: readonly string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', ...args]);
}
