import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nalType } from '../rtp/h264.ts';
import { eventually, freeRtpPort, type MediaRig, openMediaRig } from '../signaling/media-rig.fake.ts';
import { splitAnnexB, startLiveSource } from '../signaling/recording.fake.ts';

let folder = '';
let socketPath = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tap-'));
  socketPath = join(folder, 'cam0.sock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Connects to the tap and collects what it says. */
function listen() {
  const chunks: Buffer[] = [];
  const socket = createConnection(socketPath);
  let open = true;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => (open = false));
  socket.on('close', () => (open = false));
  const bytes = () => Buffer.concat(chunks);
  return { bytes, nals: () => splitAnnexB(bytes()), socket, open: () => open };
}

/** What an independent decoder reads from a stream, up to its last complete picture. */
function complaintsOf(stream: Buffer): string {
  const input = stream.subarray(0, stream.lastIndexOf('0000000109', undefined, 'hex'));
  const argv = ['-loglevel', 'error', '-f', 'h264', '-i', '-', '-f', 'null', '-'];
  return spawnSync('ffmpeg', argv, { input }).stderr.toString();
}

function configOf(rtpPort: number, tapped: boolean) {
  return {
    ...{
      udpPort: 0,
      tcpPort: null,
      listenAddresses: ['127.0.0.1'],
      maxPublisherBitrateKbps: 20_000,
      pushes: [],
      outputs: [],
      pulls: [],
    },
    ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' as const }],
    taps: tapped ? [{ feed: 'cam0', socketPath }] : [],
  };
}

async function online(rig: MediaRig): Promise<void> {
  await eventually(() => rig.service.feeds.get('cam0')?.ready === true, 'the feed is online');
}

describe('A tap', () => {
  it('gives every client the stream from its newest keyframe on, and completes each picture at once', async () => {
    const rtpPort = await freeRtpPort();
    await using rig = await openMediaRig(configOf(rtpPort, true));
    // Ten seconds from keyframe to keyframe: only the remembered one can come this soon.
    const source = startLiveSource(rtpPort, { gop: 300 });
    try {
      await online(rig);
      const reader = listen();
      await eventually(
        () => reader.nals().filter((nal) => nalType(nal) === 9).length > 20,
        'pictures arrive',
      );
      const types = reader.nals().map(nalType);
      expect(types.slice(0, 2)).toEqual([7, 8]);
      expect(types.find((type) => type === 1 || type === 5)).toBe(5);
      reader.socket.destroy();
    } finally {
      source.kill('SIGKILL');
    }
  });

  it('ends its readers when it is removed, and the feed continues', async () => {
    const rtpPort = await freeRtpPort();
    await using rig = await openMediaRig(configOf(rtpPort, true));
    const source = startLiveSource(rtpPort);
    try {
      await online(rig);
      const reader = listen();
      await eventually(() => reader.nals().length > 5, 'pictures arrive');
      await rig.service.configure(configOf(rtpPort, false));
      await eventually(() => !reader.open(), 'the reader is told');
      const late = listen();
      await eventually(() => !late.open(), 'nobody listens any more');
      const before = rig.service.feeds.get('cam0')?.video.frames ?? 0;
      await eventually(() => (rig.service.feeds.get('cam0')?.video.frames ?? 0) > before, 'the feed goes on');
    } finally {
      source.kill('SIGKILL');
    }
  });

  it('drops whole pictures for a slow reader and continues at a keyframe', async () => {
    const rtpPort = await freeRtpPort();
    await using rig = await openMediaRig(configOf(rtpPort, true));
    const source = startLiveSource(rtpPort, { bitrate: '8M', size: '1280x720', gop: 15 });
    try {
      await online(rig);
      const reader = listen();
      await eventually(() => reader.nals().length > 5, 'pictures arrive');
      reader.socket.pause();
      const before = rig.service.feeds.get('cam0')?.video.frames ?? 0;
      await eventually(
        () => (rig.service.feeds.get('cam0')?.video.frames ?? 0) > before + 150,
        'five seconds pass',
        60_000,
      );
      const known = reader.nals().length;
      reader.socket.resume();
      await eventually(() => reader.nals().length > known + 400, 'the reader is served again', 60_000);
      const pictures = reader.nals().filter((nal) => nalType(nal) === 9).length;
      expect(pictures).toBeLessThan((rig.service.feeds.get('cam0')?.video.frames ?? 0) - 30);
      expect(complaintsOf(reader.bytes())).toBe('');
    } finally {
      source.kill('SIGKILL');
    }
  });
});
