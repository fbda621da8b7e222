/** Real streams made by ffmpeg, for tests. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** Makes a Matroska file of H.264 (four slices a picture, noisy and thus large keyframes) and Opus. */
export function makeRecording(path: string, frames: number): void {
  const seconds = String(frames / 30);
  const result = spawnSync('ffmpeg', [
    ...['-loglevel', 'error', '-y'],
    ...['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30,noise=alls=40:allf=t'],
    ...['-f', 'lavfi', '-i', 'anoisesrc=color=pink:sample_rate=48000'],
    ...[
      '-t',
      seconds,
      '-pix_fmt',
      'yuv420p',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
    ],
    ...[
      '-x264-params',
      'sliced-threads=0:slices=4:keyint=30:scenecut=0:repeat-headers=1',
      '-b:v',
      '4M',
      '-maxrate',
      '4M',
    ],
    ...['-bufsize', '2M', '-c:a', 'libopus', '-b:a', '64k', path],
  ]);
  if (result.status !== 0) throw new Error(`ffmpeg: ${result.stderr}`);
}

/** Makes a Matroska file of H.265 without B-frames, and no sound. */
export function makeH265Recording(path: string, frames: number): void {
  const result = spawnSync('ffmpeg', [
    ...['-loglevel', 'error', '-y'],
    ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-frames:v', String(frames)],
    ...['-pix_fmt', 'yuv420p', '-c:v', 'libx265', '-preset', 'ultrafast', '-crf', '18'],
    ...[
      '-x265-params',
      'bframes=0:keyint=30:scenecut=0:repeat-headers=1:pools=1:frame-threads=1:log-level=error',
    ],
    path,
  ]);
  if (result.status !== 0) throw new Error(`ffmpeg: ${result.stderr}`);
}

/** Plays a recording of H.265 as RTP, as ffmpeg packs it, and hands over each packet when it is due. Resolves at the end. */
export async function playH265(
  path: string,
  speed: number,
  onPacket: (packet: Buffer) => void,
): Promise<void> {
  const { socket, port } = await openReceiver();
  socket.on('message', (packet) => {
    const type = packet[1] ?? 0;
    if (type < 200 || type > 204) onPacket(packet);
  });
  const ffmpeg = spawn('ffmpeg', [
    ...['-loglevel', 'error', '-readrate', String(speed), '-i', path],
    ...['-map', '0:v', '-c', 'copy', '-bsf:v', 'hevc_mp4toannexb', '-f', 'rtp'],
    `rtp://127.0.0.1:${port}?pkt_size=1200&rtcpport=${port}`,
  ]);
  await once(ffmpeg, 'close');
  socket.close();
}

/** The NAL units of a recording in order, as ffmpeg itself writes them in Annex B form. */
export function nalsOfRecording(path: string, scratch: string): Buffer[] {
  const result = spawnSync('ffmpeg', [
    ...[
      '-loglevel',
      'error',
      '-y',
      '-i',
      path,
      '-map',
      '0:v',
      '-c',
      'copy',
      '-bsf:v',
      'h264_mp4toannexb',
      '-f',
      'h264',
    ],
    scratch,
  ]);
  if (result.status !== 0) throw new Error(`ffmpeg: ${result.stderr}`);
  return splitAnnexB(readFileSync(scratch));
}

/** The NAL units of an Annex B stream. */
export function splitAnnexB(stream: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  let start = -1;
  for (let at = stream.indexOf('000001', 0, 'hex'); at >= 0; at = stream.indexOf('000001', at + 3, 'hex')) {
    if (start >= 0) nals.push(withoutTrailingZeros(stream.subarray(start, at)));
    start = at + 3;
  }
  if (start >= 0) nals.push(withoutTrailingZeros(stream.subarray(start)));
  return nals;
}

function withoutTrailingZeros(nal: Buffer): Buffer {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end--;
  return nal.subarray(0, end);
}

/** Plays a recording as RTP and hands over each packet when it is due. Resolves at the end. */
export async function playRecording(
  path: string,
  speed: number,
  onPacket: (kind: 'video' | 'audio', packet: Buffer) => void,
): Promise<void> {
  const sockets = await Promise.all([openReceiver(), openReceiver()]);
  const [video, audio] = sockets.map(({ port }) => port);
  sockets[0]?.socket.on('message', (packet) => onPacket('video', packet));
  sockets[1]?.socket.on('message', (packet) => onPacket('audio', packet));
  const ffmpeg = spawn('ffmpeg', [
    ...['-loglevel', 'error', '-readrate', String(speed), '-i', path],
    ...['-map', '0:v', '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', '-f', 'rtp'],
    `rtp://127.0.0.1:${video}?pkt_size=1200&rtcpport=${video}`,
    ...['-map', '0:a', '-c', 'copy', '-f', 'rtp', `rtp://127.0.0.1:${audio}?pkt_size=1200&rtcpport=${audio}`],
  ]);
  await once(ffmpeg, 'close');
  for (const { socket } of sockets) socket.close();
}

async function openReceiver() {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setRecvBufferSize(4 * 1024 * 1024);
  return { socket, port: socket.address().port };
}

/** A live pipeline to an ingest port, of H.264 if no other encoder is named; kill it by its handle. */
export function startLiveSource(
  rtpPort: number,
  options: { size?: string; bitrate?: string; gop?: number; codec?: 'libx264' | 'libx265' } = {},
) {
  const { size = '640x360', bitrate = '1M', gop = 30, codec = 'libx264' } = options;
  const repeats = codec === 'libx265' ? ['-x265-params', 'repeat-headers=1:bframes=0:log-level=error'] : [];
  return spawn(
    'ffmpeg',
    [
      ...['-loglevel', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`],
      ...['-pix_fmt', 'yuv420p', '-c:v', codec, '-preset', 'ultrafast', '-tune', 'zerolatency'],
      ...repeats,
      ...['-g', String(gop), '-b:v', bitrate, '-f', 'rtp', `rtp://127.0.0.1:${rtpPort}?pkt_size=1200`],
    ],
    { stdio: 'ignore' },
  );
}
