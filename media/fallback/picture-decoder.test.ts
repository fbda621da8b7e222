import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpawningChildHost } from '../../common/child-host.fake.ts';
import { eventually, freeRtpPort, openMediaRig } from '../signaling/media-rig.fake.ts';
import { startLiveSource } from '../signaling/recording.fake.ts';
import { inspectJpeg } from './jpeg.ts';
import { PictureDecoder } from './picture-decoder.ts';

const logger = pino({ level: 'silent' });
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decoder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function openDecoder(host: SpawningChildHost) {
  const pictures: Buffer[] = [];
  const sockets = { input: join(folder, 'in.sock'), output: join(folder, 'out.sock') };
  const decoder = new PictureDecoder({
    name: 'picture-cam0',
    host,
    sockets,
    logger,
    onPicture: (picture) => pictures.push(picture),
  });
  const abort = new AbortController();
  const running = decoder.run(abort.signal);
  const end = async () => {
    abort.abort();
    await running;
  };
  return { pictures, sockets, end, [Symbol.asyncDispose]: end };
}

describe('PictureDecoder', () => {
  it.each([
    ['640x360', '200k', 640, 360],
    ['1920x1080', '4M', 1280, 720],
  ])('decodes a %s feed of %s bit/s at once, at most 1280 wide', async (size, bitrate, width, height) => {
    const rtpPort = await freeRtpPort();
    await using host = new SpawningChildHost();
    await using rig = await openMediaRig({
      ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }],
      taps: [{ feed: 'cam0', socketPath: join(folder, 'in.sock') }],
    });
    const source = startLiveSource(rtpPort, { size, bitrate, gop: 300 });
    try {
      await eventually(() => rig.service.feeds.get('cam0')?.ready === true, 'the feed is online');
      await using decoder = openDecoder(host);
      await eventually(() => decoder.pictures.length >= 10, 'pictures');
      for (const picture of decoder.pictures) {
        expect(inspectJpeg(picture)).toEqual({ bytes: picture.length, width, height });
      }
      await decoder.end();
      expect(host.running.size).toBe(0);
    } finally {
      source.kill('SIGKILL');
    }
  });

  it('restarts its program after a kill', async () => {
    const rtpPort = await freeRtpPort();
    await using host = new SpawningChildHost();
    await using rig = await openMediaRig({
      ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }],
      taps: [{ feed: 'cam0', socketPath: join(folder, 'in.sock') }],
    });
    const source = startLiveSource(rtpPort);
    try {
      await eventually(() => rig.service.feeds.get('cam0')?.ready === true, 'the feed is online');
      await using decoder = openDecoder(host);
      await eventually(() => decoder.pictures.length > 0, 'pictures');
      await [...host.running.values()][0]?.stop();
      const before = decoder.pictures.length;
      await eventually(() => decoder.pictures.length > before + 5, 'more pictures');
    } finally {
      source.kill('SIGKILL');
    }
  });
});
