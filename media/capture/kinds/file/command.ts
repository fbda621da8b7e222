import {
  captureTimeBase,
  ffmpegPrelude,
  liveBranch,
  liveOutputArgs,
  rawOutputArgs,
  rtpOutputArgs,
  smallOfCopyArgs,
  witnessOutputArgs,
} from '../../outputs.ts';
import type { CaptureCommand, CaptureTargets, EncodedSource } from '../../types.ts';
import type { FileFacts } from './probe.ts';
import { quoted } from './turn-lists.ts';

/** A video file that is played in a loop. Size and rate are those of the file. */
export interface FileSource extends EncodedSource, Omit<FileFacts, 'copyable'> {
  readonly kind: 'file';
  /** Absolute path. */
  readonly file: string;
  /** The file's video goes to viewers and masters unchanged. */
  readonly copies: boolean;
  /** If that is H.265: the list that repeats it. */
  readonly list?: string;
}

/** Why the video of a file is not encoded, for people. */
export const copyReason = 'The file holds H.264 or H.265 without B-frames, so it is passed on untouched.';
/** Only for the size of the queue: a large access unit. */
const typicalAccessUnitBytes = 200_000;

/**
 * Builds the pipeline of a video file: ffmpeg reads it at its own rate, again and again, and timestamps continue from one turn
 * to the next. They start at zero, so the recorder anchors them to its own clock. Pure.
 * @throws SourceSpecError
 */
export function buildFileCapture(source: FileSource, targets: CaptureTargets): CaptureCommand {
  const { width, height, fps, range, copies } = source;
  const input = ['-re', ...playedOf(source)];
  const outputs = copies ? copiedOutputs(source, targets) : encodedOutputs(source, targets);
  return {
    argv: [...ffmpegPrelude(), ...input, ...outputs] as [string, ...string[]],
    raw: {
      codec: !copies ? 'rawvideo' : source.list === undefined ? 'h264' : 'hevc',
      pixelFormat: source.pixelFormat,
      range,
      fps,
      width,
      height,
      clock: 'stream',
    },
    encoderReason: copies ? copyReason : targets.encoder.reason,
    askedFps: null,
  };
}

function playedOf({ file, copies, list }: FileSource): string[] {
  if (!copies) return ['-stream_loop', '-1', '-i', `file:${file}`];
  if (list === undefined) return ['-stream_loop', '-1', ...listOf(file)];
  return ['-f', 'concat', '-safe', '0', '-i', `file:${list}`];
}

/**
 * The file as the only one of a list. MP4 and Matroska store H.264 in their own form; ffmpeg's reader of lists converts it to
 * that of a stream, with its headers before every keyframe. Of H.265 it does not: see turn-lists.ts.
 */
function listOf(file: string): string[] {
  const list = `ffconcat version 1.0\nfile ${quoted(file)}\n`;
  const data = `data:text/plain;base64,${Buffer.from(list).toString('base64')}`;
  return ['-f', 'concat', '-safe', '0', '-protocol_whitelist', 'data,file', '-i', data];
}

function copiedOutputs(source: FileSource, targets: CaptureTargets): string[] {
  const { fps } = source;
  const headers = source.list === undefined ? [] : ['-bsf:v', 'hevc_mp4toannexb'];
  const copy = ['-map', '0:v:0', '-c:v', 'copy', ...headers];
  const argv = [...copy, ...rtpOutputArgs(targets, 'stream'), ...smallOfCopyArgs(targets, source, 'stream')];
  if (targets.rawPipe !== undefined) {
    const frames = { frameBytes: typicalAccessUnitBytes, fps };
    argv.push(...copy, ...rawOutputArgs(targets.rawPipe, frames, targets.rawQueueBytes));
  }
  if (targets.witness !== undefined) {
    argv.push('-map', '0:v:0', '-fps_mode', 'passthrough', '-c:v', 'rawvideo');
    argv.push(...witnessOutputArgs(targets.witness));
  }
  return argv;
}

function encodedOutputs(source: FileSource, targets: CaptureTargets): string[] {
  const { width, height, fps, pixelFormat } = source;
  const branches = ['shown'];
  if (targets.rawPipe !== undefined) branches.push('raw');
  if (targets.witness !== undefined) branches.push('witness');
  const split = branches.map((name) => `[${name}]`).join('');
  const live = liveBranch(targets);
  const exact = `crop=${width}:${height}:0:0:exact=1,format=${pixelFormat}`;
  // The live picture has limited range, as players expect.
  const shown = `[shown]scale=out_range=limited,format=yuv420p[live]${live.chain}`;
  const argv = ['-filter_complex', `[0:v:0]${exact},split=${branches.length}${split};${shown}`];
  argv.push('-map', live.label, '-fps_mode', 'passthrough', ...liveOutputArgs(targets, source, 'stream'));
  const raw = ['-fps_mode', 'passthrough', '-enc_time_base', captureTimeBase, '-c:v', 'rawvideo'];
  if (targets.rawPipe !== undefined) {
    const bytesPerPixel = pixelFormat === 'yuv420p' ? 1.5 : pixelFormat === 'yuv422p' ? 2 : 3;
    const frames = { frameBytes: width * height * bytesPerPixel, fps };
    argv.push('-map', '[raw]', ...raw, ...rawOutputArgs(targets.rawPipe, frames, targets.rawQueueBytes));
  }
  if (targets.witness !== undefined) {
    argv.push('-map', '[witness]', ...raw, ...witnessOutputArgs(targets.witness));
  }
  return argv;
}
