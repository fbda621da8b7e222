import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpawningChildHost } from '../../../../common/child-host.fake.ts';
import { parseRtp } from '../../../rtp/rtp-packet.ts';
import { recogniseCodec, type VideoCodec } from '../../../rtp/video-payload.ts';
import { SourceHandler } from '../../source-handler.ts';
import { RtspCamera, type RtspCameraOptions } from './rtsp-camera.fake.ts';

const h264 = ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=1'];
const h265 = ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H265/90000'];
const mpeg4 = ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 MP4V-ES/90000'];
const vp8 = ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 VP8/90000'];
const sound = ['m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000'];

const avc = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25'];
const hevc = [
  '-c:v',
  'libx265',
  '-preset',
  'ultrafast',
  '-tune',
  'zerolatency',
  '-x265-params',
  'log-level=none:keyint=25',
];

const falseWords =
  'The camera announces H.264, but what it sends is something else, most often H.265. Set the camera to H.264.';

describe('a network camera', { timeout: 90_000 }, () => {
  let host: SpawningChildHost;
  let socket: Socket;

  beforeEach(async () => {
    host = new SpawningChildHost();
    socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
  });

  afterEach(async () => {
    await host[Symbol.asyncDispose]();
    socket.close();
  });

  async function open(
    options: RtspCameraOptions,
    source: { path?: string; username?: string; password?: string } = {},
  ) {
    const camera = await RtspCamera.open(options);
    const { path, ...access } = source;
    const handler = new SourceHandler({
      host,
      logger: pino({ level: process.env.TEST_LOG ?? 'silent' }),
      source: { kind: 'rtsp', id: 'cam0', url: camera.url(path), ...access },
      targets: { rtpPort: socket.address().port, encoder: { encoder: 'copy', reason: 'test' } },
    });
    let frames = 0;
    socket.on('message', (packet) => {
      if (((packet[1] ?? 0) & 0x80) !== 0) frames += 1;
      handler.noteFrames(frames);
    });
    const stop = new AbortController();
    const running = handler.run(stop.signal);
    return {
      camera,
      handler,
      async [Symbol.asyncDispose]() {
        stop.abort();
        await running;
        await camera[Symbol.asyncDispose]();
      },
    };
  }

  it.each([
    ['H.265 that it announces as H.264', h264, hevc, falseWords],
    ['MPEG-4', mpeg4, ['-c:v', 'mpeg4'], 'The camera sends MPEG-4 Part 2. Set it to H.264.'],
    ['VP8', vp8, ['-c:v', 'libvpx', '-deadline', 'realtime'], 'The camera sends VP8. Set it to H.264.'],
    [
      'motion JPEG',
      ['m=video 0 RTP/AVP 26'],
      ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p'],
      'The camera sends motion JPEG. Set it to H.264.',
    ],
    ['sound alone', sound, avc, 'The stream has no video, only sound or nothing.'],
  ])('that sends %s is reported as such, with what to set', async (_what, media, encode, words) => {
    await using source = await open({ media, encode });
    await until(
      () => source.handler.status.fault?.words === words || source.handler.status.restarts > 1,
      () => source.handler.status,
    );
    expect(source.handler.status.fault?.words).toBe(words);
  });

  it('that sends H.265 runs, and its packets are passed on as H.265', async () => {
    await using source = await open({ media: h265, encode: hevc });
    const { handler } = source;
    const codecs = new Set<VideoCodec>();
    socket.on('message', (datagram) => {
      const codec = recogniseCodec(parseRtp(datagram)?.payload ?? Buffer.alloc(0));
      if (codec !== null) codecs.add(codec);
    });
    await until(
      () => handler.status.state === 'running' && codecs.size > 0,
      () => handler.status,
    );
    expect([...codecs]).toEqual(['h265']);
    expect(handler.status.fault).toBeNull();
    expect(handler.raw.codec).toBe('hevc');
  });

  it.each([12.5, 15])(
    'that sends %d frames a second runs, and its rate is learned from what arrives',
    async (fps) => {
      await using source = await open({ media: h264, encode: avc, fps });
      const { handler } = source;
      await until(
        () => Math.abs((handler.status.deliveredFps ?? 0) - fps) < 1,
        () => handler.status,
      );
      expect(handler.status).toMatchObject({ state: 'running', fault: null });
      expect(Math.abs(handler.raw.fps - fps)).toBeLessThan(1);
    },
  );

  it('accepts the longest password that fits, whatever characters it has', async () => {
    const password = '#'.repeat(41);
    const authorization = `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
    await using source = await open(
      { media: h264, encode: avc, authorization },
      { username: 'me', password },
    );
    await until(
      () => source.handler.status.state === 'running',
      () => source.handler.status,
    );
    expect(source.camera.authorizations).toContain(authorization);
  });

  it.each([
    [
      'SETUP',
      '461 Unsupported transport',
      'The camera does not send this way: set the transport of the source to the other one, tcp or udp.',
    ],
    [
      'SETUP',
      '453 Not Enough Bandwidth',
      'The camera accepts no further viewers now: close other programs that watch it.',
    ],
    [
      'DESCRIBE',
      '503 Service Unavailable',
      'The camera accepts no further viewers now: close other programs that watch it.',
    ],
    ['PLAY', '454 Session Not Found', 'The camera has ended the session.'],
    ['DESCRIBE', '404 Not Found', 'The camera has no such stream.'],
    [
      'DESCRIBE',
      '403 Forbidden',
      'The camera asks for a user name and a password: set them, or correct them.',
    ],
  ])('understands the answer %s with %s', async (method, status, words) => {
    await using source = await open({ media: h264, encode: avc, refuse: [method, status] });
    await until(
      () => source.handler.status.state === 'backing-off',
      () => source.handler.status,
    );
    expect(source.handler.status.fault?.words).toBe(words);
  });

  it('never shows a password that is in its address', async () => {
    const path = 'user=admin&password=secret&channel=1&stream=0.sdp';
    await using source = await open(
      { media: h264, encode: avc, refuse: ['DESCRIBE', '404 Not Found'] },
      { path },
    );
    await until(
      () => source.handler.status.state === 'backing-off',
      () => source.handler.status,
    );
    expect(JSON.stringify(source.handler.status)).not.toMatch(/secret|admin/);
    expect(source.handler.status.lastErrorLine).not.toBeNull();
  });
});

async function until(condition: () => boolean, describe: () => unknown): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline)
      throw new Error(`it did not come to that: ${JSON.stringify(describe())}`);
    await sleep(20);
  }
}
