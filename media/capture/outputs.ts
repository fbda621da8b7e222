import { type EncoderChoice, picturesFps } from './encoder-choice.ts';
import { SourceSpecError } from './errors.ts';
import type { SmallLayer } from './small-layer.ts';
import type { CaptureTargets, RawStream } from './types.ts';

/** RTP packets of the live stream stay below this, so that SRTP and UDP headers fit any Ethernet path. */
const rtpPacketBytes = 1200;
/** ffmpeg rounds down to milliseconds; only 0 itself means unknown. */
const epochStartUs = 1;
const defaultRawQueueBytes = 48 * 1024 * 1024;

/** 90 kHz is fine enough for the timestamps of every source, and it is RTP's clock for video (RFC 6184). */
export const captureTimeBase = '1/90000';

/** How the live stream is encoded. */
export interface LiveSettings {
  readonly fps: number;
  readonly bitrateKbps: number;
  readonly keyframeIntervalS?: number;
  /** Range of the samples; unset means limited, as players assume. */
  readonly range?: RawStream['range'];
}

/** Pictures are no wider than this; a fraction, so that 10 of 30 a second are evenly spaced. */
const picturesWidth = 1280;
const picturesIntervalS = 0.95 / picturesFps;
const picturesQueue = 4;

/** The rest of a filter graph after its `[live]` output, and what to map then. */
export function liveBranch({ encoder: { encoder }, small }: CaptureTargets): {
  readonly chain: string;
  readonly label: string;
} {
  if (encoder !== 'mjpeg' && small !== undefined)
    return { chain: `;[live]split[full][narrow];[narrow]${smallFilter(small)}[small]`, label: '[full]' };
  if (encoder !== 'mjpeg') return { chain: '', label: '[live]' };
  const thinned = `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${picturesIntervalS})'`;
  const scaled = `scale=w='min(${picturesWidth},iw)':h=-2:flags=fast_bilinear:out_range=pc,format=yuvj420p`;
  return { chain: `;[live]${thinned},${scaled}[pictures]`, label: '[pictures]' };
}

/** Fewer pixels, and fewer frames if there are many. */
function smallFilter({ width, everyNth }: SmallLayer): string {
  const thinned = everyNth > 1 ? `select='not(mod(n,${everyNth}))',` : '';
  return `${thinned}scale=w=${width}:h=-2:flags=fast_bilinear`;
}

/** Encoder and output of the small layer, which the graph calls `[small]`; nothing if there is none. */
function smallOutputArgs(
  targets: CaptureTargets,
  settings: LiveSettings,
  clock: RawStream['clock'],
): string[] {
  const { small } = targets;
  if (small === undefined) return [];
  const { fps, bitrateKbps, rtpPort } = small;
  const keyframeIntervalS = Math.min(2, Math.max(1, settings.keyframeIntervalS ?? 1));
  const encoder = { encoder: 'libx264', reason: '' } as const;
  return [
    ...['-map', '[small]', '-fps_mode', 'passthrough'],
    ...liveEncoderArgs(encoder, { fps, bitrateKbps, keyframeIntervalS }),
    // Of few pixels several threads would make slices, which cost bits.
    ...['-threads', '1', ...rtpOutputArgs({ ...targets, rtpPort }, clock)],
  ];
}

/** The small layer of H.264 that is copied: decoded, only for this. */
export function smallOfCopyArgs(
  targets: CaptureTargets,
  settings: LiveSettings,
  clock: RawStream['clock'],
): string[] {
  const { small } = targets;
  if (small === undefined) return [];
  const graph = `[0:v]${smallFilter(small)},format=yuv420p[small]`;
  return ['-filter_complex', graph, ...smallOutputArgs(targets, settings, clock)];
}

/**
 * Encoders and outputs of the live stream.
 * @throws SourceSpecError if pictures have no destination
 */
export function liveOutputArgs(
  targets: CaptureTargets,
  settings: LiveSettings,
  clock: RawStream['clock'],
): string[] {
  const { encoder } = targets;
  if (encoder.encoder !== 'mjpeg') {
    return [
      ...[...liveEncoderArgs(encoder, settings), ...rtpOutputArgs(targets, clock)],
      ...smallOutputArgs(targets, settings, clock),
    ];
  }
  return ['-c:v', 'mjpeg', '-q:v', '6', '-huffman', 'default', ...picturesOutputArgs(targets)];
}

/** Pictures for a listener; without one, or with a slow one, they are dropped and nothing waits. */
export function picturesOutputArgs({ picturesSocket }: CaptureTargets): string[] {
  if (picturesSocket === undefined) throw new SourceSpecError('pictures have nowhere to go');
  return [
    ...['-flush_packets', '1', '-f', 'fifo', '-fifo_format', 'mjpeg', '-queue_size', `${picturesQueue}`],
    ...['-drop_pkts_on_overflow', '1', '-attempt_recovery', '1', '-recover_any_error', '1'],
    ...['-recovery_wait_time', '0.5', `unix:${picturesSocket}`],
  ];
}

/** Codec arguments of a live encoder: no B-frames, keyframes at a fixed interval, SPS and PPS in the stream. */
export function liveEncoderArgs(choice: EncoderChoice, settings: LiveSettings): string[] {
  const rate = settings.bitrateKbps;
  const gop = Math.max(1, Math.round(settings.fps * (settings.keyframeIntervalS ?? 1)));
  const common = ['-enc_time_base', captureTimeBase, '-b:v', `${rate}k`, '-g', `${gop}`, '-bf', '0'];
  if (choice.encoder === 'h264_v4l2m2m') {
    return [
      '-c:v',
      'h264_v4l2m2m',
      ...common,
      '-num_capture_buffers',
      '16',
      '-bsf:v',
      // The hardware does not store the range; without it players would cut off blacks and whites.
      settings.range === 'full'
        ? 'h264_metadata=video_full_range_flag=1,dump_extra=freq=keyframe'
        : 'dump_extra=freq=keyframe',
    ];
  }
  // A buffer of a quarter second keeps single frames small: a large one would take longer to send than a frame lasts.
  const rateControl = ['-maxrate', `${rate}k`, '-bufsize', `${Math.ceil(rate / 4)}k`];
  const x264 = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline'];
  const keyframes = ['-keyint_min', `${gop}`, '-sc_threshold', '0'];
  return ['-c:v', 'libx264', ...x264, ...common, ...keyframes, ...rateControl];
}

/** Copies the camera's H.264, repeating SPS and PPS before every keyframe, or a viewer that joins later could not decode. */
export function liveCopyArgs(): string[] {
  return ['-c:v', 'copy', '-bsf:v', 'dump_extra=freq=keyframe'];
}

/**
 * The live stream. If its timestamps are wall-clock time, ffmpeg is informed: otherwise its sender reports would count from the
 * start of the pipeline; with it they say when each frame was captured.
 */
export function rtpOutputArgs(targets: CaptureTargets, clock: RawStream['clock']): string[] {
  const payloadType = `${targets.rtpPayloadType ?? 96}`;
  const url = `rtp://127.0.0.1:${targets.rtpPort}?pkt_size=${rtpPacketBytes}`;
  const epoch = clock === 'epoch' ? ['-start_time_realtime', `${epochStartUs}`] : [];
  return ['-flush_packets', '1', '-payload_type', payloadType, ...epoch, '-f', 'rtp', url];
}

/** The frames for the raw pipe. */
export interface RawFrames {
  readonly frameBytes: number;
  readonly fps: number;
}

/**
 * The raw sink: NUT through ffmpeg's fifo muxer (a thread and a queue of its own) into a named pipe.
 *
 * Without a reader the fifo thread sleeps in open(2); the full queue drops whole packets, and one line is logged, however long
 * nothing is recorded. A socket would be tried again many times a second, with three lines of log each. When a reader leaves,
 * the write fails with EPIPE and the muxer opens the pipe again, which sleeps until the next one comes.
 *
 * NUT without sync points: with them ffmpeg 5.1 crashes when the fifo muxer writes a second header, because the muxer keeps a
 * pointer into its freed tree of sync points. A pipe is never sought in, so nothing is lost. The queue holds at most one
 * second: what it holds when a recorder comes before it was ever full precedes the take.
 */
export function rawOutputArgs(pipe: string, frames: RawFrames, queueBytes = defaultRawQueueBytes): string[] {
  const affordable = Math.floor(queueBytes / Math.max(1, frames.frameBytes));
  const queueFrames = Math.max(4, Math.min(affordable, Math.ceil(frames.fps)));
  return [
    ...['-f', 'fifo', '-fifo_format', 'nut', '-format_opts', 'syncpoints=none:strict=experimental'],
    ...['-queue_size', `${queueFrames}`, '-drop_pkts_on_overflow', '1', '-restart_with_keyframe', '1'],
    ...['-attempt_recovery', '1', '-recover_any_error', '1', '-recovery_wait_time', '0.1', `file:${pipe}`],
  ];
}

/** framemd5 of what was captured, flushed frame by frame. */
export function witnessOutputArgs(file: string): string[] {
  return ['-flush_packets', '1', '-f', 'framemd5', '-y', file];
}

/** Options of every ffmpeg: no input from the terminal, no banner, which levels it logs. */
export function ffmpegPrelude(): string[] {
  // The leading plus keeps ffmpeg's default of writing equal lines once; without it every repetition is written.
  return ['ffmpeg', '-hide_banner', '-nostdin', '-nostats', '-loglevel', '+level+info'];
}
