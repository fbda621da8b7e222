import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pause } from '../../common/pause.ts';
import { liveEncoderArgs } from '../../media/capture/outputs.ts';
import { freeRtpPort, openMediaRig } from '../../media/signaling/media-rig.fake.ts';

/** What the cameras send. */
export interface CameraPictures {
  readonly fps: number;
  readonly seconds: number;
  /** Seconds from one keyframe to the next. Default 1. */
  readonly keyframeIntervalS?: number;
}

const layers = [
  { layer: 'high', path: '', size: '1280x720', bitrateKbps: 2500 },
  { layer: 'low', path: '/layers/low', size: '640x360', bitrateKbps: 300 },
] as const;

/** Packets of one picture. */
type Frame = readonly Buffer[];

/**
 * Cameras that publish both layers to the hub at `url`, each in its own WHIP session, as real ones do. Their pictures are encoded
 * beforehand: encoders would take the processor that the hub and the browser are measured on.
 */
export async function openEncodedCameras(
  url: string,
  token: string,
  ids: readonly string[],
  pictures: CameraPictures,
): Promise<AsyncDisposable> {
  const recorded = await Promise.all(
    layers.map(async (one) => ({ ...one, frames: await record(one, pictures) })),
  );
  const ports = new Set<number>();
  while (ports.size < ids.length * layers.length) ports.add(await freeRtpPort());
  const free = [...ports];
  const streams = ids.flatMap((feed, camera) =>
    recorded.map((one) => ({ ...one, feed, camera, rtpPort: free.shift() ?? 0 })),
  );
  const rig = await openMediaRig({
    ingests: streams.map(({ feed, layer, rtpPort }) => ({ feed, layer, rtpPort, kind: 'h264' })),
    pushes: streams.map(({ feed, layer, path }) => ({
      feed,
      layer,
      url: `${url}/whip/${feed}${path}`,
      token,
    })),
  });
  const abort = new AbortController();
  // The cameras' keyframes are as far apart as those of machines that started at different times.
  const apart = Math.max(1, Math.round((pictures.fps * (pictures.keyframeIntervalS ?? 1)) / ids.length));
  const played = play(
    streams.map(({ frames, rtpPort, camera }) => ({ frames, rtpPort, from: camera * apart, sent: 0 })),
    pictures.fps,
    abort.signal,
  );
  return {
    async [Symbol.asyncDispose]() {
      abort.abort();
      await played;
      await rig[Symbol.asyncDispose]();
    },
  };
}

interface Stream {
  readonly frames: readonly Frame[];
  readonly rtpPort: number;
  /** The picture that it begins with. */
  readonly from: number;
  /** Packets so far. */
  sent: number;
}

/** Sends each picture when it is due, again and again, until the signal aborts. */
async function play(streams: readonly Stream[], fps: number, signal: AbortSignal): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const beganMs = performance.now();
  for (let n = 0; !signal.aborted; n++) {
    const waitMs = beganMs + (n * 1000) / fps - performance.now();
    if (waitMs > 0) await pause(waitMs, signal);
    for (const stream of streams) {
      for (const recorded of stream.frames[(n + stream.from) % stream.frames.length] ?? []) {
        const packet = Buffer.from(recorded);
        packet.writeUInt16BE(stream.sent++ & 0xffff, 2);
        packet.writeUInt32BE(Math.round((n * 90_000) / fps) >>> 0, 4);
        socket.send(packet, stream.rtpPort, '127.0.0.1');
      }
    }
  }
  socket.close();
}

/** Encodes a layer as a camera does it live, and packs it as ffmpeg does. */
async function record(layer: (typeof layers)[number], pictures: CameraPictures): Promise<readonly Frame[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-camera-'));
  try {
    const file = join(folder, 'camera.mkv');
    encode(file, layer, pictures);
    return await framesOf(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function encode(
  file: string,
  { size, bitrateKbps }: (typeof layers)[number],
  { fps, seconds, keyframeIntervalS = 1 }: CameraPictures,
): void {
  const choice = { encoder: 'libx264', reason: '' } as const;
  const result = spawnSync('ffmpeg', [
    ...['-loglevel', 'error', '-y', '-f', 'lavfi'],
    ...['-i', `testsrc2=size=${size}:rate=${fps},noise=alls=12:allf=t`],
    ...['-t', String(seconds), '-pix_fmt', 'yuv420p'],
    ...[...liveEncoderArgs(choice, { fps, bitrateKbps, keyframeIntervalS }), file],
  ]);
  if (result.status !== 0) throw new Error(`ffmpeg: ${result.stderr}`);
}

async function framesOf(file: string): Promise<readonly Frame[]> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setRecvBufferSize(4 * 1024 * 1024);
  const frames: Buffer[][] = [[]];
  socket.on('message', (packet) => {
    const [, type = 0] = packet;
    if (type >= 200 && type <= 204) return;
    frames.at(-1)?.push(packet);
    if (type >= 128) frames.push([]);
  });
  const { port } = socket.address();
  const ffmpeg = spawn('ffmpeg', [
    ...['-loglevel', 'error', '-readrate', '8', '-i', file, '-c', 'copy'],
    ...['-bsf:v', 'h264_mp4toannexb,dump_extra=freq=keyframe'],
    ...['-f', 'rtp', `rtp://127.0.0.1:${port}?pkt_size=1200&rtcpport=${port}`],
  ]);
  await once(ffmpeg, 'close');
  await sleep(200);
  socket.close();
  return frames.filter((packets) => packets.length > 0);
}
