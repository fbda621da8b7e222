import { SourceSpecError } from '../../errors.ts';
import {
  ffmpegPrelude,
  liveCopyArgs,
  rawOutputArgs,
  rtpOutputArgs,
  witnessOutputArgs,
} from '../../outputs.ts';
import type { CaptureCommand, CaptureTargets, SourceBase } from '../../types.ts';

/** A network camera whose H.264 or H.265 is copied. The camera decides its size and rate. */
export interface RtspSource extends SourceBase {
  readonly kind: 'rtsp';
  /** `rtsp://host[:port]/path`, without user and password. */
  readonly url: string;
  readonly username?: string;
  /** Never reaches a log (redact in faults.ts). */
  readonly password?: string;
  /** Default `tcp`. */
  readonly transport?: 'tcp' | 'udp';
  /** Nominal rate, used for counting dropped frames. Default 25. */
  readonly fps?: number;
}

/** After this silence, in milliseconds, a camera counts as gone. */
const timeoutUs = 5_000_000;
const defaultFps = 25;
/** Only for the size of the queue: a large access unit of a network camera. */
const typicalFrameBytes = 200_000;

/**
 * Builds the pipeline of a network camera: its video goes to both sinks unchanged. Its timestamps count from the start of the
 * session, so the recorder anchors them to its own clock. Pure.
 * @throws SourceSpecError
 */
export function buildRtspCapture(source: RtspSource, targets: CaptureTargets): CaptureCommand {
  const fps = source.fps ?? defaultFps;
  const session = ['-rtsp_transport', source.transport ?? 'tcp', '-timeout', `${timeoutUs}`];
  // Only video is requested, and nothing is held back to find out more about the stream than its SDP says.
  const input = [...session, '-allowed_media_types', 'video', '-fflags', 'nobuffer', '-i', urlOf(source)];
  const argv = [
    ...ffmpegPrelude(),
    ...input,
    '-map',
    '0:v:0',
    ...liveCopyArgs(),
    ...rtpOutputArgs(targets, 'stream'),
  ];
  if (targets.rawPipe !== undefined) {
    const frames = { frameBytes: typicalFrameBytes, fps };
    argv.push(
      '-map',
      '0:v:0',
      '-c:v',
      'copy',
      ...rawOutputArgs(targets.rawPipe, frames, targets.rawQueueBytes),
    );
  }
  if (targets.witness !== undefined) {
    argv.push('-map', '0:v:0', '-fps_mode', 'passthrough', '-c:v', 'rawvideo');
    argv.push(...witnessOutputArgs(targets.witness));
  }
  return {
    argv: argv as [string, ...string[]],
    raw: {
      codec: 'h264',
      pixelFormat: 'yuv420p|yuv422p|yuv444p',
      range: 'limited',
      fps,
      width: 0,
      height: 0,
      clock: 'stream',
    },
    encoderReason: 'The camera sends H.264 or H.265 itself, so it is passed on untouched.',
    askedFps: source.fps ?? null,
  };
}

/** ffmpeg stores user and password in 128 bytes, as they are in the address, and cuts longer ones silently. */
const maxAuthBytes = 127;

function urlOf(source: RtspSource): string {
  const url = URL.parse(source.url);
  if (url === null || !/^rtsps?:$/.test(url.protocol)) {
    throw new SourceSpecError(`the address of ${source.id} is not an rtsp:// or rtsps:// URL`);
  }
  const { username, password } = source;
  if (username === undefined && password === undefined) return url.href;
  const user = username === undefined ? url.username : escaped(username);
  const auth = password === undefined ? user : `${user}:${escaped(password)}`;
  if (auth.length > maxAuthBytes) {
    const size = `${auth.length} bytes as they stand in an address, where signs such as # and umlauts take three or more`;
    throw new SourceSpecError(
      `user name and password of ${source.id} are too long together: ${size}; ${maxAuthBytes} fit. Set a shorter password in the camera.`,
    );
  }
  url.username = '';
  url.password = '';
  return url.href.replace('//', () => `//${auth}@`);
}

/** Only characters that would end the part of an address, or are not allowed in one, are escaped: room is short. */
function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=]/gu, (sign) => encodeURIComponent(sign));
}
