import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rawOutputArgs } from '../../capture/outputs.ts';
import { ensureRawPipe } from '../../capture/raw-pipe.ts';
import type { RawStream } from '../../capture/types.ts';
import { Take } from '../take/take.ts';
import { Recorder } from './recorder.ts';
import { cameraOf, RecordingRig, until } from './recording-rig.fake.ts';

const raw: RawStream = {
  codec: 'mjpeg',
  pixelFormat: 'yuv422p',
  range: 'full',
  clock: 'epoch',
  width: 320,
  height: 180,
  fps: 30,
};

describe('a USB camera set to 30 frames a second that sends 5, as in dim light', {
  timeout: 60_000,
}, () => {
  let rig: RecordingRig;

  beforeEach(async () => {
    rig = await RecordingRig.open();
  });

  afterEach(() => rig[Symbol.asyncDispose]());

  it('is recorded, and no frame counts as dropped', async () => {
    const camera = join(rig.folder, 'camera.nut');
    const picture = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=5', '-frames:v', '200'];
    execFileSync('ffmpeg', [...picture, '-c:v', 'mjpeg', '-pix_fmt', 'yuvj422p', camera]);
    await ensureRawPipe(rig.host, rig.pipe);
    const take = await Take.create(join(rig.folder, 'take'), {
      version: 1,
      id: 'take',
      startedAt: new Date().toISOString(),
      stoppedAt: null,
      wanted: true,
      state: 'starting',
      cameras: {},
    });
    const stop = new AbortController();
    let frames = 0;
    const recorder = new Recorder(take, {
      host: rig.host,
      logger: rig.logger,
      camera: 'cam0',
      pipe: () => rig.pipe,
      raw,
      codec: 'ffv1',
      strategy: 'spool',
      strategyReason: 'test',
      threads: 2,
      reserveBytes: 1,
      onProgress: (progress) => {
        frames = Math.max(frames, progress.frames);
      },
    });
    const done = recorder.run(stop.signal, new AbortController().signal);
    const sink = rawOutputArgs(rig.pipe, { frameBytes: 100_000, fps: 30 });
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
      ...sink,
    ] as const;
    await rig.host.spawn({ name: 'camera', argv: feed, stopTimeoutMs: 100 });
    await until(() => frames >= 12);
    stop.abort();
    await done;
    expect(cameraOf(take)).toMatchObject({ state: 'verified', droppedFrames: 0 });
    expect(cameraOf(take).frames).toBeGreaterThanOrEqual(12);
  });
});
