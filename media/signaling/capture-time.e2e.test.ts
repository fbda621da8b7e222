import { type ChildProcess, spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { buildCapture } from '../capture/kinds/index.ts';
import { eventually, freeRtpPort, openMediaRig } from './media-rig.fake.ts';

function startTestPicture(rtpPort: number): ChildProcess {
  const source = { kind: 'test', id: 'cam0', width: 320, height: 180, fps: 30, bitrateKbps: 500 } as const;
  const encoder = { encoder: 'libx264', reason: 'test' } as const;
  const [program, ...args] = buildCapture(source, { rtpPort, encoder }).argv;
  return spawn(program, args, { stdio: 'ignore' });
}

it('a hub knows when the frames of its cameras were captured', { timeout: 60_000 }, async () => {
  const rtpPort = await freeRtpPort();
  await using hub = await openMediaRig();
  await using camera = await openMediaRig({
    ingests: [{ feed: 'cam0', rtpPort, kind: 'h264', tellsCaptureTime: true }],
    pushes: [{ feed: 'cam0', url: `${hub.url}/whip/cam0` }],
  });
  const delayOf = ({ service }: typeof hub) => service.feeds.stats(performance.now())[0]?.captureDelayMs;
  const startedMs = performance.now();
  const ffmpeg = startTestPicture(rtpPort);
  try {
    await eventually(() => typeof delayOf(camera) === 'number', 'the camera knows');
    await eventually(() => typeof delayOf(hub) === 'number', 'the hub knows');
    const [there, here] = [delayOf(camera) ?? -1, delayOf(hub) ?? -1];
    process.stdout.write(`from capture to arrival: ${there} ms at the camera, ${here} ms at the hub\n`);
    // Both clocks are this machine's: no frame arrived before it was captured, and none was captured before the program started.
    for (const delayMs of [there, here]) {
      expect(delayMs).toBeGreaterThan(0);
      expect(delayMs).toBeLessThan(performance.now() - startedMs);
    }
  } finally {
    ffmpeg.kill('SIGKILL');
  }
});

it('a stream whose timestamps are not wall-clock time is not mistaken for one', {
  timeout: 60_000,
}, async () => {
  const rtpPort = await freeRtpPort();
  await using rig = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
  const ffmpeg = startTestPicture(rtpPort);
  try {
    await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'the feed is there');
    expect(rig.service.feeds.stats(performance.now())[0]?.captureDelayMs).toBeNull();
  } finally {
    ffmpeg.kill('SIGKILL');
  }
});
