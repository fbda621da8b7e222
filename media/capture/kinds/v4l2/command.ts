import {
  ffmpegPrelude,
  liveBranch,
  liveCopyArgs,
  liveOutputArgs,
  picturesOutputArgs,
  rawOutputArgs,
  rtpOutputArgs,
  smallOfCopyArgs,
  witnessOutputArgs,
} from '../../outputs.ts';
import type { CaptureCommand, CaptureTargets, EncodedSource, RawStream } from '../../types.ts';

/** Formats a V4L2 camera is opened with. `h264` is copied, never decoded on the live path. */
export type V4l2Format = 'mjpeg' | 'yuyv' | 'nv12' | 'h264';

/** A camera through V4L2. */
export interface V4l2Source extends EncodedSource {
  readonly kind: 'v4l2';
  /** Device node, ideally a stable one: `/dev/v4l/by-id/…`. */
  readonly device: string;
  readonly format: V4l2Format;
}

interface FormatFacts {
  /** What ffmpeg's v4l2 input calls it. */
  readonly inputArgs: readonly string[];
  readonly codec: RawStream['codec'];
  /** Planar format with exactly the same samples; the camera decides among several. */
  readonly pixelFormat: string;
  readonly bytesPerPixel: number;
}

const formats: Readonly<Record<V4l2Format, FormatFacts>> = {
  mjpeg: {
    inputArgs: ['-input_format', 'mjpeg'],
    codec: 'mjpeg',
    pixelFormat: 'yuv422p|yuv420p|yuv444p',
    bytesPerPixel: 0.4,
  },
  yuyv: {
    inputArgs: ['-input_format', 'yuyv422'],
    codec: 'rawvideo',
    pixelFormat: 'yuv422p',
    bytesPerPixel: 2,
  },
  nv12: {
    inputArgs: ['-input_format', 'nv12'],
    codec: 'rawvideo',
    pixelFormat: 'yuv420p',
    bytesPerPixel: 1.5,
  },
  h264: {
    inputArgs: ['-input_format', 'h264'],
    codec: 'h264',
    pixelFormat: 'yuv420p|yuv422p|yuv444p',
    bytesPerPixel: 0.2,
  },
};

/**
 * Builds the pipeline of a V4L2 camera. The device is opened once; the raw sink gets the packets exactly as the camera sent
 * them (for MJPEG its JPEGs, for H.264 its access units), and the recorder decodes them for a master. Pure.
 */
export function buildV4l2Capture(source: V4l2Source, targets: CaptureTargets): CaptureCommand {
  const { width, height, fps } = source;
  const facts = formats[source.format];
  const copies = facts.codec === 'h264';
  const range = facts.codec === 'mjpeg' ? 'full' : 'limited';
  const geometry = ['-video_size', `${width}x${height}`, '-framerate', `${fps}`];
  // Absolute timestamps are the kernel's capture times as wall-clock time.
  const input = ['-f', 'v4l2', '-ts', 'abs', ...facts.inputArgs, ...geometry, '-i', source.device];
  const argv = [...ffmpegPrelude(), ...input, '-copyts'];
  if (copies) {
    argv.push('-map', '0:v', ...liveCopyArgs(), ...rtpOutputArgs(targets, 'epoch'));
    argv.push(...smallOfCopyArgs(targets, source, 'epoch'));
  } else if (facts.codec === 'mjpeg' && targets.encoder.encoder === 'mjpeg') {
    argv.push('-map', '0:v', '-c:v', 'copy', ...picturesOutputArgs(targets));
  } else {
    const live = liveBranch(targets);
    // JPEG has full range, which the hardware encoder could not say: the live picture has limited range, as players expect.
    const limited = facts.codec === 'mjpeg' ? 'scale=out_range=limited,' : '';
    const graph = `[0:v]${limited}format=yuv420p[live]${live.chain}`;
    argv.push('-filter_complex', graph, '-map', live.label, '-fps_mode', 'passthrough');
    argv.push(...liveOutputArgs(targets, source, 'epoch'));
  }
  if (targets.rawPipe !== undefined) {
    const frames = { frameBytes: width * height * facts.bytesPerPixel, fps };
    argv.push(
      '-map',
      '0:v',
      '-c:v',
      'copy',
      ...rawOutputArgs(targets.rawPipe, frames, targets.rawQueueBytes),
    );
  }
  if (targets.witness !== undefined) {
    const decoded = ['-map', '0:v', '-fps_mode', 'passthrough'];
    argv.push(...decoded, '-c:v', 'rawvideo', ...witnessOutputArgs(targets.witness));
  }
  return {
    argv: argv as [string, ...string[]],
    raw: { codec: facts.codec, pixelFormat: facts.pixelFormat, range, fps, width, height, clock: 'epoch' },
    encoderReason: targets.encoder.reason,
    askedFps: fps,
    // Uncompressed frames do not say which range was negotiated.
    ...(facts.codec === 'rawvideo' && {
      rangeQuery: ['v4l2-ctl', '-d', source.device, '--get-fmt-video'] as const,
    }),
  };
}
