import { numberedWallClock } from '../../frame-number.ts';
import {
  captureTimeBase,
  ffmpegPrelude,
  liveBranch,
  liveOutputArgs,
  rawOutputArgs,
  witnessOutputArgs,
} from '../../outputs.ts';
import type { CaptureCommand, CaptureTargets, EncodedSource } from '../../types.ts';

/** A camera module through libcamera. rpicam-vid decides about unset fields. */
export interface RpicamSource extends EncodedSource {
  readonly kind: 'rpicam';
  /** Index in the list of `rpicam-hello --list-cameras`. */
  readonly camera: number;
  /** Sensor mode `width:height[:bits[:packing]]`. */
  readonly mode?: string;
  readonly rotation?: 0 | 180;
  readonly hflip?: boolean;
  readonly vflip?: boolean;
  readonly autofocus?: 'default' | 'manual' | 'auto' | 'continuous';
  /** Dioptres (1/m), with `autofocus: 'manual'`. */
  readonly lensPosition?: number;
  readonly exposure?: 'normal' | 'sport' | 'long';
  readonly shutterUs?: number;
  readonly gain?: number;
  /** Exposure compensation in stops. */
  readonly ev?: number;
  readonly whiteBalance?: string;
  readonly hdr?: 'off' | 'auto' | 'sensor' | 'single-exp';
  /** Part of the sensor: x, y, width, height, each 0…1. */
  readonly roi?: readonly [number, number, number, number];
  readonly tuningFile?: string;
  readonly sync?: 'off' | 'server' | 'client';
  /** File that gets one presentation time per frame, in milliseconds (sensor-clock.ts). */
  readonly ptsFile?: string;
}

/**
 * rpicam-vid asks libcamera for sYCC, which is JPEG's full range, if its output is planar frames; libcamera says what it set
 * up.
 */
const range = 'full';

/** libcamera pads the rows of planar pictures to this many bytes of luma. */
const rowAlignment = 64;

/**
 * Builds the pipeline of a camera module. rpicam-vid has one encoder and one output, so it delivers the frames unencoded, and
 * ffmpeg encodes the live stream (in hardware if there is any) beside the raw sink. Pure.
 */
export function buildRpicamCapture(source: RpicamSource, targets: CaptureTargets): CaptureCommand {
  const { width, height, fps } = source;
  const pipeline = `${quoted(['rpicam-vid', ...rpicamArgs(source)])} | ${quoted(ffmpegArgs(source, targets))}`;
  return {
    // pipefail, or an rpicam-vid that finds no camera would look like a stream that ended well.
    argv: ['bash', '-c', `set -o pipefail; ${freshPtsFile(source)}${pipeline}`],
    raw: { codec: 'rawvideo', pixelFormat: 'yuv420p', range, fps, width, height, clock: 'epoch' },
    encoderReason: targets.encoder.reason,
    askedFps: fps,
    ...(source.ptsFile !== undefined && { sensorTimes: source.ptsFile }),
  };
}

/** Each pipeline writes its own file: a reader of its predecessor's sees by the file that another one began. */
function freshPtsFile({ ptsFile }: RpicamSource): string {
  return ptsFile === undefined ? '' : `${quoted(['rm', '-f', ptsFile])}; `;
}

/** Arguments of rpicam-vid: planar frames on standard output until it is ended. Level 1 of `--verbose` is a line per frame. */
function rpicamArgs(source: RpicamSource): string[] {
  const { camera, width, height, fps } = source;
  const args = ['--camera', `${camera}`, '--width', `${width}`, '--height', `${height}`];
  args.push(
    '--framerate',
    `${fps}`,
    '--codec',
    'yuv420',
    '--nopreview',
    '--verbose',
    '0',
    '--timeout',
    '0',
    '--flush',
  );
  const valued: readonly (readonly [flag: string, value: string | number | undefined])[] = [
    ['--mode', source.mode],
    ['--rotation', source.rotation === 180 ? 180 : undefined],
    ['--autofocus-mode', source.autofocus === 'default' ? undefined : source.autofocus],
    ['--lens-position', source.lensPosition],
    ['--exposure', source.exposure === 'normal' ? undefined : source.exposure],
    ['--shutter', source.shutterUs],
    ['--gain', source.gain],
    ['--ev', source.ev === 0 ? undefined : source.ev],
    ['--awb', source.whiteBalance === 'auto' ? undefined : source.whiteBalance],
    ['--hdr', source.hdr === 'off' ? undefined : source.hdr],
    ['--roi', source.roi?.join(',')],
    ['--tuning-file', source.tuningFile],
    ['--sync', source.sync === 'off' ? undefined : source.sync],
    ['--save-pts', source.ptsFile],
  ];
  for (const [flag, value] of valued) if (value !== undefined) args.push(flag, `${value}`);
  if (source.hflip === true) args.push('--hflip');
  if (source.vflip === true) args.push('--vflip');
  return [...args, '--output', '-'];
}

function ffmpegArgs(source: RpicamSource, targets: CaptureTargets): string[] {
  const { width, height, fps } = source;
  const paddedWidth = Math.ceil(width / rowAlignment) * rowAlignment;
  const frames = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-video_size', `${paddedWidth}x${height}`];
  const input = [...frames, '-framerate', `${fps}`, '-i', 'pipe:0'];
  const branches = ['live'];
  if (targets.rawPipe !== undefined) branches.push('raw');
  if (targets.witness !== undefined) branches.push('witness');
  const crop = paddedWidth === width ? '' : `crop=${width}:${height}:0:0,`;
  const live = liveBranch(targets);
  const outputs = branches.map((name) => `[${name}]`).join('');
  // Planar frames in a pipe have no time: their arrival is their time.
  const graph = `[0:v]setrange=${range},${numberedWallClock()},${crop}split=${branches.length}${outputs}${live.chain}`;
  const argv = [...ffmpegPrelude().filter((arg) => arg !== '-nostdin'), ...input, '-copyts'];
  argv.push('-filter_complex', graph, '-map', live.label, '-fps_mode', 'passthrough');
  argv.push(...liveOutputArgs(targets, { ...source, range }, 'epoch'));
  const raw = ['-fps_mode', 'passthrough', '-enc_time_base', captureTimeBase, '-c:v', 'rawvideo'];
  if (targets.rawPipe !== undefined) {
    const size = { frameBytes: (width * height * 3) / 2, fps };
    argv.push('-map', '[raw]', ...raw, ...rawOutputArgs(targets.rawPipe, size, targets.rawQueueBytes));
  }
  if (targets.witness !== undefined) {
    argv.push('-map', '[witness]', ...raw, ...witnessOutputArgs(targets.witness));
  }
  return argv;
}

function quoted(argv: readonly string[]): string {
  return argv.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(' ');
}
