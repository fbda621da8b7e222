import type { RawStream } from '../../capture/types.ts';

/** Options that make ffmpeg report once a second how many frames it has processed (run-ffmpeg.ts). */
const tellingProgress = ['-progress', 'pipe:1', '-stats_period', '1'] as const;

/** Codec of masters. */
export type MasterCodec = 'ffv1' | 'prores';
/** `direct`: compressed while it is captured; `spool`: raw now, compressed right after. */
export type MasterStrategy = 'direct' | 'spool';

/** The files of one segment, absolute paths. `master` is what remains; `spool` exists only until the master is proven. */
export interface SegmentFiles {
  readonly master: string;
  readonly spool: string;
  /** framemd5 of every frame received, with its capture timestamp: the reference for the master. */
  readonly reference: string;
  /** What the sensor's clock reported while the segment was recorded (sensor-log.ts); removed once it is closed. */
  readonly sensorLog: string;
  /** When each frame of the master was taken, by that clock. */
  readonly sensorTimes: string;
}

/** How masters are encoded. */
export interface EncodeSettings {
  readonly codec: MasterCodec;
  readonly raw: RawStream;
  /** Threads that the encoder may use; also its number of slices. */
  readonly threads: number;
}

/**
 * A cluster reaches the file when it is complete: this bounds what a crash of the recorder loses. Together with
 * fdatasync every 500 ms a power cut costs less than a second.
 */
const clusterMs = 250;
const timeBase = '1/90000';

/** Timecode of a direct master while its first frame is not known yet; patched when the segment is closed (timecode.ts). */
export const timecodePlaceholder = '00:00:00:00';

/** Name of a master's track. It reserves room for the frame rate if ffmpeg leaves that out (matroska-rate.ts). */
export const trackName = 'Rushlight master';

/** Records one segment from the raw pipe. Pure. Both strategies write the reference in the same process. */
export function recordArgv(
  pipe: string,
  files: SegmentFiles,
  strategy: MasterStrategy,
  settings: EncodeSettings,
): readonly [string, ...string[]] {
  const input = inputArgs(pipe);
  const fresh = dropsFirstFrame(settings) ? "select='gt(n,0)'," : '';
  const { raw } = settings;
  if (strategy === 'spool') {
    const graph = `[0:v]${fresh}${chain(referencePixels(raw), stamps(raw))}[reference]`;
    const drop = dropsFirstFrame(settings) ? ['-bsf:v', 'noise=amount=0:drop=eq(n\\,0)'] : [];
    const copy = ['-map', '0:v', '-c:v', 'copy', ...drop, '-flush_packets', '1'];
    const spool = [...copy, '-f', 'nut', `file:${files.spool}`];
    return ['ffmpeg', ...input, '-filter_complex', graph, ...spool, ...referenceOutput(files.reference)];
  }
  // Packed formats are made planar once, for both; of compressed ones each side gets the decoder's output.
  const both = raw.codec === 'rawvideo' ? `${fresh}${planar}` : `${fresh}null`;
  const reference = `[received]${chain(stamps(raw))}[reference]`;
  const graph = `[0:v]${both},split=2[received][frames];${reference};[frames]${masterChain(settings)}[master]`;
  const master = masterOutput(files.master, settings, timecodePlaceholder);
  return ['ffmpeg', ...input, '-filter_complex', graph, ...master, ...referenceOutput(files.reference)];
}

/** What transcoding must know about the spool. */
export interface SpooledFrames {
  /** A spool may end with a frame that is not in the reference, if its recorder was killed. */
  readonly frames: number;
  readonly timecode: string;
}

/** Compresses a spool into its master. Pure. */
export function transcodeArgv(
  files: SegmentFiles,
  settings: EncodeSettings,
  { frames, timecode }: SpooledFrames,
): readonly [string, ...string[]] {
  const graph = `[0:v]${masterChain(settings)}[master]`;
  const input = inputArgs(files.spool);
  const niceness = ['nice', '-n', '19'] as const;
  const output = ['-frames:v', `${frames}`, ...masterOutput(files.master, settings, timecode, '-y')];
  return [...niceness, 'ffmpeg', ...tellingProgress, ...input, '-filter_complex', graph, ...output];
}

/**
 * Decodes a whole file and writes the framemd5 of its frames; a file that is not a master yet is read like its reference. Pure.
 */
export function decodeArgv(
  file: string,
  output: string,
  spooled?: RawStream,
): readonly [string, ...string[]] {
  const pixels = spooled === undefined ? [] : ['-vf', chain(referencePixels(spooled))];
  const frames = ['-map', '0:v:0', '-fps_mode', 'passthrough', '-noautoscale', ...pixels, '-c:v', 'rawvideo'];
  const read = [...prelude(), ...untrusted(spooled === undefined ? 'matroska' : 'nut', file), ...frames];
  const argv = [...read, '-f', 'framemd5', '-y', `file:${output}`];
  return ['nice', '-n', '19', 'ffmpeg', ...tellingProgress, ...argv];
}

/** Generates frames like a camera's, with grain, for measuring; at nice 19, because live continues meanwhile. Pure. */
export function probePictureArgv(
  output: string,
  raw: RawStream,
  frames: number,
): readonly [string, ...string[]] {
  const grain = `testsrc2=s=${raw.width}x${raw.height}:r=${raw.fps},noise=alls=12:allf=t+p`;
  const picture = `${grain},scale=out_range=limited,format=${raw.pixelFormat}`;
  const argv = [...prelude(), '-f', 'lavfi', '-i', picture, '-frames:v', `${frames}`];
  return ['nice', '-n', '19', 'ffmpeg', ...argv, '-c:v', 'rawvideo', '-f', 'nut', '-y', `file:${output}`];
}

/** Does to generated frames what a direct recorder does, at nice 19: compresses, and takes their MD5. Pure. */
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

/** ffmpeg itself inserts no filter: if a conversion would be needed that is not requested here, it fails, and says so. */
function prelude(): string[] {
  return [
    '-hide_banner',
    '-nostdin',
    '-nostats',
    '-loglevel',
    '+level+warning',
    '-noauto_conversion_filters',
  ];
}

/** The rate is in the stream; finding it out from frames would take seconds of a slow camera's. */
function inputArgs(file: string): string[] {
  return [...prelude(), '-copyts', ...untrusted('nut', file)];
}

/** A file that only has the name of a master or spool must not make ffmpeg open others. */
function untrusted(format: 'matroska' | 'nut', file: string): string[] {
  return ['-fpsprobesize', '0', '-protocol_whitelist', 'file', '-f', format, '-i', `file:${file}`];
}

/**
 * A capture pipeline whose recorder left keeps the one frame it could not write, however long nothing is recorded, and delivers
 * it first: it does not belong to this take. A stream with frames that need others begins with a keyframe, which must stay.
 */
function dropsFirstFrame({ raw }: EncodeSettings): boolean {
  return raw.codec !== 'h264';
}

/** The formats that FFV1 can store of what cameras send; every other one has its samples in one of them, in another order. */
const masterFormats = [
  ...['yuv420p', 'yuv422p', 'yuv444p', 'yuv440p', 'yuv411p', 'gray', 'bgr0'],
  ...['yuv420p10le', 'yuv422p10le', 'yuv444p10le', 'gray10le', 'gray12le', 'gray16le'],
].join('|');

/**
 * Samples in the order in which a master keeps them, and otherwise unchanged. ffmpeg converts between ranges whenever two sides
 * of a filter name different ones, and which it names differs between its releases; here both sides say the same, whatever the
 * stream says about itself, so that there is nothing to convert.
 */
const planar = `setrange=full,scale=in_range=full:out_range=full,format=${masterFormats}`;

function chain(...filters: readonly (string | null)[]): string {
  const named = filters.filter((filter) => filter !== null);
  return named.length === 0 ? 'null' : named.join(',');
}

/** The decoder's output is the reference unchanged: nothing that might alter a master alters it as well. */
function referencePixels({ codec }: RawStream): string | null {
  return codec === 'rawvideo' ? planar : null;
}

/** Timestamps as wall-clock time. */
function stamps({ clock }: RawStream): string | null {
  if (clock === 'epoch') return null;
  return `settb=${timeBase},setpts='if(eq(N,0),st(0,round(RTCTIME/1000000/TB)-PTS));PTS+ld(0)'`;
}

/**
 * Filters of a master, of which the last only names the range. ProRes has limited range, and its samples are not kept anyway.
 */
function masterChain({ codec, raw }: EncodeSettings): string {
  return codec === 'prores'
    ? `setrange=${raw.range},scale=in_range=${raw.range}:out_range=limited,format=yuv422p10le`
    : `${planar},setrange=${raw.range}`;
}

function referenceOutput(file: string): string[] {
  const frames = ['-map', '[reference]', '-fps_mode', 'passthrough', '-noautoscale'];
  frames.push('-enc_time_base', timeBase);
  return [...frames, '-c:v', 'rawvideo', '-flush_packets', '1', '-f', 'framemd5', '-n', `file:${file}`];
}

function masterOutput(file: string, settings: EncodeSettings, timecode: string, overwrite = '-n'): string[] {
  return [
    ...['-map', '[master]', '-fps_mode', 'passthrough', '-enc_time_base', timeBase],
    ...codecArgs(settings),
    ...['-metadata:s:v:0', `timecode=${timecode}`, '-metadata:s:v:0', `title=${trackName}`],
    ...['-cluster_time_limit', `${clusterMs}`],
    // A master starts at zero; players and editors expect that.
    ...['-avoid_negative_ts', 'make_zero'],
    ...['-flush_packets', '1', '-f', 'matroska', overwrite, `file:${file}`],
  ];
}

/** The range belongs to the codec: FFV1 cannot store it, and ffmpeg 7 takes it for limited unless it is named. */
function codecArgs({ codec, threads, raw }: EncodeSettings): string[] {
  if (codec === 'prores') {
    // The other encoder, prores_ks, is seven times slower and would never keep up with a camera.
    return ['-c:v', 'prores_aw', '-profile:v', '3', '-color_range', 'tv', '-threads', `${threads}`];
  }
  // Every frame is independent and every slice has a checksum: damage stays local and is detected.
  const slices = threads > 2 ? 12 : 4;
  const integrity = ['-level', '3', '-g', '1', '-slicecrc', '1', '-context', '0', '-slices', `${slices}`];
  const range = ['-color_range', raw.range === 'full' ? 'pc' : 'tv'];
  return ['-c:v', 'ffv1', ...integrity, ...range, '-threads', `${threads}`];
}
