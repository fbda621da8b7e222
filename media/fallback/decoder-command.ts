import type { VideoCodec } from '../rtp/video-payload.ts';

/** Widest picture that is delivered, in pixels. */
const maxWidth = 1280;
/** Pictures are at least this far apart: every second one of 30 a second, with room for jitter. */
const minIntervalS = 0.06;

/** ffmpeg's names of Annex B streams. */
const formats: Readonly<Record<VideoCodec, string>> = { h264: 'h264', h265: 'hevc' };

/** The decoder's sockets. */
export interface DecoderSockets {
  /** Unix socket that delivers H.264 or H.265 in Annex B form. */
  readonly input: string;
  /** Unix socket that takes JPEG after JPEG. */
  readonly output: string;
}

/**
 * The argv of the decoder. Pure. Pictures are dropped, never repeated, so that a client's newest picture is never an old one;
 * times are those of arrival, because the byte stream has none.
 */
export function decoderCommand(
  { input, output }: DecoderSockets,
  codec: VideoCodec,
): readonly [string, ...string[]] {
  const thinned = `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${minIntervalS})'`;
  const scaled = `scale=w='min(${maxWidth},iw)':h=-2:flags=fast_bilinear:out_range=pc,format=yuvj420p`;
  return [
    'ffmpeg',
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error'],
    ...['-flags', 'low_delay', '-threads', '1'],
    // Reads only as far ahead as it needs to find the size; what it read is decoded, too (nobuffer would drop it).
    ...['-probesize', '5000', '-analyzeduration', '0', '-fpsprobesize', '0'],
    ...['-use_wallclock_as_timestamps', '1', '-f', formats[codec], '-i', `unix:${input}`],
    ...['-an', '-vf', `${thinned},${scaled}`, '-fps_mode', 'passthrough'],
    ...['-c:v', 'mjpeg', '-q:v', '6', '-huffman', 'default', '-threads', '1'],
    ...['-flush_packets', '1', '-f', 'mjpeg', `unix:${output}`],
  ];
}
