import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { openPipelines } from './pipelines-rig.fake.ts';

const patience = { timeout: 20_000, interval: 50 };

function make(file: string, size: string, ...codec: string[]): void {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25:d=1`];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...picture, ...codec, '-pix_fmt', 'yuv420p', file]);
}

it('reports a missing or broken file, plays it once it is there and follows a replacement', async () => {
  await using rig = await openPipelines('[[source]]\nid = "intro"\nkind = "file"\npath = "intro.mp4"\n');
  const { pipelines, host, folder, apply } = rig;
  const file = join(folder, 'intro.mp4');
  const status = () => pipelines.status()[0];
  await apply();
  expect(status()).toMatchObject({ id: 'intro', kind: 'file', state: 'waiting' });
  expect(status()?.reason).toMatch(/intro\.mp4 does not exist\. Copy the video there, or change "path"\.$/);
  expect(pipelines.hasBroken).toBe(true);

  writeFileSync(file, 'no video');
  await apply();
  expect(status()?.reason).toMatch(/is not a video file/);

  make(file, '320x180', '-c:v', 'libx264', '-bf', '0');
  await apply();
  await vi.waitFor(() => expect(host.running.has('capture-intro')).toBe(true), patience);
  expect(status()).toMatchObject({ reason: null, encoder: { name: 'copy' } });
  expect(status()?.encoder?.reason).toMatch(/^The file holds H\.264/);
  expect(pipelines.all()).toMatchObject([{ raw: { codec: 'h264', width: 320, height: 180, fps: 25 } }]);
  expect(pipelines.ingests()).toMatchObject([{ feed: 'intro', tellsCaptureTime: false }]);

  make(join(folder, 'next.mkv'), '640x360', '-c:v', 'libx264', '-bf', '2');
  renameSync(join(folder, 'next.mkv'), file);
  await vi.waitFor(() => expect(rig.wishes).toBeGreaterThan(0), patience);
  await apply();
  expect(pipelines.all()).toMatchObject([{ raw: { codec: 'rawvideo', width: 640, height: 360 } }]);
  expect(status()?.encoder?.name).toBe('libx264');

  rmSync(file);
  await apply();
  expect(status()?.reason).toMatch(/does not exist/);
  expect(pipelines.all()).toEqual([]);
});
