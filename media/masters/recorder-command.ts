import type { RawStream } from '../capture/types.ts';

/** Options that make ffmpeg say once a second how many frames it has worked off (run-ffmpeg.ts). */
const tellingProgress = ['-progress', 'pipe:1', '-stats_period', '1'] as const;

export type MasterCodec = 'ffv1' | 'prores';
export type MasterStrategy = 'direct' | 'spool';

/** The files of one segment, absolute. `master` is what remains; `spool` exists only until the master is proven. */
export interface SegmentFiles {
  readonly master: string;
  readonly spool: string;
  /** framemd5 of every frame received, with its capture timestamp: the reference the master is held against. */
  readonly reference: string;
  /** What the sensor's clock told while the segment was recorded (sensor-log.ts); gone once it is closed. */
  readonly sensorLog: string;
  /** When each frame of the master was taken, by that clock. */
  readonly sensorTimes: string;
}

export interface EncodeSettings {
  readonly codec: MasterCodec;
  readonly raw: RawStream;
  /** Threads the encoder may use; also its number of slices. */
  readonly threads: number;
}

/**
 * A cluster reaches the file when it is complete: this bounds what a crash of the recorder loses. Together with
 * fdatasync every 500 ms a power cut costs less than a second.
 */
const clusterMs = 250;
const timeBase = '1/90000';

/** Timecode of a direct master while its first frame is not yet known; patched when the segment is closed (timecode.ts). */
export const timecodePlaceholder = '00:00:00:00';

/** Records one segment from the raw pipe. Pure. Both strategies write the reference in the same process. */
export function recordArgv(
  pipe: string,
  files: SegmentFiles,
  strategy: MasterStrategy,
  settings: EncodeSettings,
): readonly [string, ...string[]] {
  const input = [...prelude(), '-copyts', '-f', 'nut', '-i', `file:${pipe}`];
  const fresh = dropsFirstFrame(settings) ? "select='gt(n,0)'," : '';
  if (strategy === 'spool') {
    const graph = `[0:v]${fresh}${referenceChain(settings)}[reference]`;
    const drop = dropsFirstFrame(settings) ? ['-bsf:v', 'noise=amount=0:drop=eq(n\\,0)'] : [];
    const copy = ['-map', '0:v', '-c:v', 'copy', ...drop, '-flush_packets', '1'];
    const spool = [...copy, '-f', 'nut', `file:${files.spool}`];
    return ['ffmpeg', ...input, '-filter_complex', graph, ...spool, ...referenceOutput(files.reference)];
  }
  const graph = `[0:v]${fresh}${referenceChain(settings)},split=2[reference][frames];[frames]${masterChain(settings)}[master]`;
  const master = masterOutput(files.master, settings, timecodePlaceholder);
  return ['ffmpeg', ...input, '-filter_complex', graph, ...master, ...referenceOutput(files.reference)];
}

/** What transcoding must know about what was spooled. */
export interface SpooledFrames {
  /** A spool may end with a frame that is not in the reference, where its recorder was killed. */
  readonly frames: number;
  readonly timecode: string;
}

/** Compresses a spool into its master. Pure. */
export function transcodeArgv(
  files: SegmentFiles,
  settings: EncodeSettings,
  { frames, timecode }: SpooledFrames,
): readonly [string, ...string[]] {
  const graph = `[0:v]${referenceChain(settings)},${masterChain(settings)}[master]`;
  const input = [...prelude(), '-copyts', '-f', 'nut', '-i', `file:${files.spool}`];
  const niceness = ['nice', '-n', '19'] as const;
  const output = ['-frames:v', `${frames}`, ...masterOutput(files.master, settings, timecode, '-y')];
  return [...niceness, 'ffmpeg', ...tellingProgress, ...input, '-filter_complex', graph, ...output];
}

/** Decodes a whole file and writes the framemd5 of its frames; what is no master yet becomes planar as a master. Pure. */
export function decodeArgv(
  file: string,
  output: string,
  spooled?: RawStream,
): readonly [string, ...string[]] {
  const planar = spooled === undefined ? [] : ['-vf', planarChain(spooled)];
  const frames = ['-map', '0:v:0', '-fps_mode', 'passthrough', ...planar, '-c:v', 'rawvideo'];
  // A file that only bears a master's name must not make ffmpeg open others.
  const input = ['-protocol_whitelist', 'file', '-f', spooled === undefined ? 'matroska' : 'nut'];
  const read = [...prelude(), ...input, '-i', `file:${file}`, ...frames];
  const argv = [...read, '-f', 'framemd5', '-y', `file:${output}`];
  return ['nice', '-n', '19', 'ffmpeg', ...tellingProgress, ...argv];
}

/** Generates frames like a camera's, with grain, for measuring; at nice 19, as live goes on meanwhile. Pure. */
export function probePictureArgv(
  output: string,
  raw: RawStream,
  frames: number,
): readonly [string, ...string[]] {
  const picture = `testsrc2=s=${raw.width}x${raw.height}:r=${raw.fps},noise=alls=12:allf=t+p,format=${raw.pixelFormat}`;
  const argv = [...prelude(), '-f', 'lavfi', '-i', picture, '-frames:v', `${frames}`];
  return ['nice', '-n', '19', 'ffmpeg', ...argv, '-c:v', 'rawvideo', '-f', 'nut', '-y', `file:${output}`];
}

/** Does to generated frames what a direct recorder does, at nice 19: compress, and take their MD5. Pure. */
export function encodeProbeArgv(
  picture: string,
  settings: EncodeSettings,
  frames: number,
): readonly [string, ...string[]] {
  const graph = `[0:v]${masterChain(settings)},split=2[master][reference]`;
  const count = ['-frames:v', `${frames}`];
  const master = ['-map', '[master]', ...codecArgs(settings), ...count, '-f', 'null', '-'];
  const reference = [
    '-map',
    '[reference]',
    '-c:v',
    'rawvideo',
    ...count,
    '-f',
    'framemd5',
    '-y',
    '/dev/null',
  ];
  const argv = [...prelude(), '-i', `file:${picture}`, '-filter_complex', graph, ...master, ...reference];
  return ['nice', '-n', '19', 'ffmpeg', ...argv];
}

function prelude(): string[] {
  return ['-hide_banner', '-nostdin', '-nostats', '-loglevel', '+level+warning'];
}

/**
 * A capture pipeline whose recorder went keeps the one frame it could not write, however long nobody records, and delivers
 * it first: it is none of this take's. A stream with frames that need others begins with a keyframe, which must stay.
 */
function dropsFirstFrame({ raw }: EncodeSettings): boolean {
  return raw.codec !== 'h264';
}

/**
 * Samples planar, and otherwise as they are: without its range on both sides the filter would squeeze what a camera's JPEG
 * holds (0…255) into 16…235.
 */
function planarChain({ range, pixelFormat }: RawStream): string {
  return `scale=in_range=${range}:out_range=${range},format=${pixelFormat}`;
}

/** Samples as the master keeps them, timestamps as wall-clock time. */
function referenceChain({ raw }: EncodeSettings): string {
  const planar = planarChain(raw);
  if (raw.clock === 'epoch') return planar;
  return `${planar},settb=${timeBase},setpts='if(eq(N,0),st(0,round(RTCTIME/1000000/TB)-PTS));PTS+ld(0)'`;
}

/** A master starts at zero; players and editors expect that. */
function masterChain({ codec }: EncodeSettings): string {
  const start = 'setpts=PTS-STARTPTS';
  return codec === 'prores' ? `${start},format=yuv422p10le` : start;
}

function referenceOutput(file: string): string[] {
  const frames = ['-map', '[reference]', '-fps_mode', 'passthrough', '-enc_time_base', timeBase];
  return [...frames, '-c:v', 'rawvideo', '-flush_packets', '1', '-f', 'framemd5', '-n', `file:${file}`];
}

function masterOutput(file: string, settings: EncodeSettings, timecode: string, overwrite = '-n'): string[] {
  return [
    ...['-map', '[master]', '-fps_mode', 'passthrough', '-enc_time_base', timeBase, ...codecArgs(settings)],
    ...['-metadata:s:v:0', `timecode=${timecode}`, '-cluster_time_limit', `${clusterMs}`],
    ...['-flush_packets', '1', '-f', 'matroska', overwrite, `file:${file}`],
  ];
}

function codecArgs({ codec, threads }: EncodeSettings): string[] {
  if (codec === 'prores') {
    // The other encoder, prores_ks, is seven times slower and would never keep up with a camera.
    return ['-c:v', 'prores_aw', '-profile:v', '3', '-threads', `${threads}`];
  }
  // Every frame stands alone and every slice carries a checksum: damage stays where it is, and is found.
  const slices = threads > 2 ? 12 : 4;
  const integrity = ['-level', '3', '-g', '1', '-slicecrc', '1', '-context', '0', '-slices', `${slices}`];
  return ['-c:v', 'ffv1', ...integrity, '-threads', `${threads}`];
}
