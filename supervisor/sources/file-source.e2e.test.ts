import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { SpawningChildHost } from '../../common/child-host.fake.ts';
import { parseConfig } from '../config/parse.ts';
import { desiredState } from '../roles/desired-state.ts';
import { Pipelines } from './pipelines.ts';

const patience = { timeout: 20_000, interval: 50 };

function make(file: string, size: string, ...codec: string[]): void {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25:d=1`];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...picture, ...codec, '-pix_fmt', 'yuv420p', file]);
}

it('reports a missing or broken file, plays it once it is there and follows a replacement', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'file-source-'));
  const host = new SpawningChildHost();
  const file = join(folder, 'intro.mp4');
  const parsed = parseConfig('[[source]]\nid = "intro"\nkind = "file"\npath = "intro.mp4"\n');
  if (!parsed.ok) throw new Error('the settings are not valid');
  const desired = desiredState(parsed.config, 'hub', { cameras: [] });
  let wishes = 0;
  const pipelines = new Pipelines({
    host,
    // Nothing listens there: what arrives is not this test's matter.
    ports: { portOf: async () => 9, keepOnly: async () => {} },
    runFolder: folder,
    configFile: join(folder, 'rushlight.toml'),
    devices: () => [],
    hardwareEncoder: null,
    model: 'PC',
    recording: () => false,
    publishPictures: () => {
      throw new Error('this source sends video');
    },
    onLinkRate: () => {
      wishes += 1;
    },
    onChange: () => {},
    log: pino({ level: 'silent' }),
  });
  const [status, apply] = [() => pipelines.status()[0], () => pipelines.apply(desired)];
  try {
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
    await vi.waitFor(() => expect(wishes).toBeGreaterThan(0), patience);
    await apply();
    expect(pipelines.all()).toMatchObject([{ raw: { codec: 'rawvideo', width: 640, height: 360 } }]);
    expect(status()?.encoder?.name).toBe('libx264');

    rmSync(file);
    await apply();
    expect(status()?.reason).toMatch(/does not exist/);
    expect(pipelines.all()).toEqual([]);
  } finally {
    await pipelines.close();
    await host[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});
