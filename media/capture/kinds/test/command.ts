import {
  captureTimeBase,
  ffmpegPrelude,
  liveBranch,
  liveOutputArgs,
  rawOutputArgs,
  witnessOutputArgs,
} from '../../outputs.ts';
import { stripFilter } from '../../strip.ts';
import type { CaptureCommand, CaptureTargets, EncodedSource } from '../../types.ts';

/**
 * A generated picture with a machine-readable strip (strip.ts) and, with a font, a clock for people; its frames follow the wall
 * clock.
 */
export interface TestSource extends EncodedSource {
  readonly kind: 'test';
  /** TrueType font for the burnt-in clock; without it only the strip is drawn. */
  readonly fontFile?: string;
}

/** Builds the pipeline of the generated test picture. Pure. */
export function buildTestCapture(source: TestSource, targets: CaptureTargets): CaptureCommand {
  const branches = ['live'];
  if (targets.rawPipe !== undefined) branches.push('raw');
  if (targets.witness !== undefined) branches.push('witness');
  const outputs = branches.map((name) => `[${name}]`).join('');
  const live = liveBranch(targets);
  const graph = `[0:v]split=${branches.length}${outputs}${live.chain}`;
  const raw = ['-fps_mode', 'passthrough', '-enc_time_base', captureTimeBase, '-c:v', 'rawvideo'];
  const argv = [...ffmpegPrelude(), '-fpsprobesize', '0', '-f', 'lavfi', '-i', picture(source)];
  argv.push('-copyts', '-filter_complex', graph);
  argv.push('-map', live.label, '-fps_mode', 'passthrough', ...liveOutputArgs(targets, source, 'epoch'));
  if (targets.rawPipe !== undefined) {
    const frameBytes = (source.width * source.height * 3) / 2;
    argv.push(
      '-map',
      '[raw]',
      ...raw,
      ...rawOutputArgs(targets.rawPipe, { frameBytes, fps: source.fps }, targets.rawQueueBytes),
    );
  }
  if (targets.witness !== undefined) {
    argv.push('-map', '[witness]', ...raw, ...witnessOutputArgs(targets.witness));
  }
  const { width, height, fps } = source;
  return {
    argv: argv as [string, ...string[]],
    raw: { codec: 'rawvideo', pixelFormat: 'yuv420p', range: 'limited', fps, width, height, clock: 'epoch' },
    encoderReason: targets.encoder.reason,
    askedFps: fps,
  };
}

/** Frames in which the picture finds its place on the grid; they are left out. */
const settlingFrames = 4;

/**
 * Makes every frame at a whole multiple of 1/fps of wall-clock time, so that the pictures of several machines are in step.
 * ffmpeg's own pacing counts from the start of the process and looks every 10 ms; this filter sleeps to the microsecond.
 */
function pacedByGrid(fps: number): string {
  const untilGrid = `ceil(RTCTIME*${fps}/1000000)*1000000/${fps}-RTCTIME`;
  const times = `if(eq(N,0),st(0,${untilGrid})*0,ld(0)+N*1000000/${fps})`;
  return `settb=1/1000000,setpts='${times}',realtime=limit=60,settb=1/${fps},setpts=N`;
}

/**
 * Timestamps since 1970: the multiple of 1/fps at which each frame was made. The quickest of the first frames decides which
 * one, because a slow frame comes late; from there they are evenly spaced.
 */
function gridTimestamps(fps: number): string {
  const place = `RTCTIME/1000000*${fps}-N`;
  const quickest = `if(lt(N,2),st(0,${place}),if(lt(N,${settlingFrames}),st(0,min(ld(0),${place}))))`;
  // settb makes the rate one over the time base, which the encoder's bit rate is counted by: another base would starve it.
  const times = 'floor(ld(0)+0.01)+N';
  return `settb=1/${fps},setpts='${quickest};${times}',trim=start_frame=${settlingFrames}`;
}

/**
 * One still with grain, made once and scrolled: a copy of rows per frame, yet every macroblock moves, so that the encoder
 * has to work as with a camera. The scroll speed is not a whole number of pixels per frame.
 */
function picture(source: TestSource): string {
  const { width, height, fps } = source;
  const still = `testsrc2=s=${width}x${height}:r=${fps},trim=end_frame=1,noise=alls=24:allf=p,format=yuv420p`;
  const moving = `${still},loop=-1:1,setpts=N,scroll=h=0.00625`;
  const clock = source.fontFile === undefined ? '' : `,${clockText(source.fontFile, height)}`;
  const strip = stripFilter(width, height, fps, pacedByGrid(fps));
  const drawn = `[picture][strip]overlay=0:0:format=yuv420${clock}`;
  return `${strip}[strip];${moving}[picture];${drawn},${gridTimestamps(fps)}`;
}

/** Wall clock (UTC) and frame number for people, below the strip. */
function clockText(fontFile: string, height: number): string {
  const size = Math.max(10, Math.round(height / 18));
  const text = '%{gmtime\\:%H\\\\\\:%M\\\\\\:%S}  %{n}';
  const style = `fontsize=${size}:fontcolor=white:box=1:boxcolor=black:boxborderw=4`;
  return `drawtext=fontfile='${fontFile}':${style}:x=16:y=h/6:text='${text}'`;
}
