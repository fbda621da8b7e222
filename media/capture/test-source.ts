import {
  captureTimeBase,
  ffmpegPrelude,
  liveEncoderArgs,
  rawOutputArgs,
  rtpOutputArgs,
  witnessOutputArgs,
} from './outputs.ts';
import { stripFilter } from './strip.ts';
import type { CaptureCommand, CaptureTargets, TestSource } from './types.ts';

/** Builds the pipeline of the generated test picture. Pure. */
export function buildTestCapture(source: TestSource, targets: CaptureTargets): CaptureCommand {
  const branches = ['live'];
  if (targets.rawPipe !== undefined) branches.push('raw');
  if (targets.witness !== undefined) branches.push('witness');
  const outputs = branches.map((name) => `[${name}]`).join('');
  const graph = `[0:v]${wallClock},split=${branches.length}${outputs}`;
  const raw = ['-fps_mode', 'passthrough', '-enc_time_base', captureTimeBase, '-c:v', 'rawvideo'];
  const argv = [...ffmpegPrelude(), '-re', '-f', 'lavfi', '-i', picture(source)];
  argv.push('-copyts', '-filter_complex', graph);
  argv.push('-map', '[live]', '-fps_mode', 'passthrough', ...liveEncoderArgs(targets.encoder, source));
  argv.push(...rtpOutputArgs(targets));
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
  };
}

/** Moves timestamps to wall-clock time since 1970, taken once, at the first frame: later ones stay evenly spaced. */
const wallClock = "setpts='if(eq(N,0),st(0,round(RTCTIME/1000000/TB)-PTS));PTS+ld(0)'";

/**
 * One still with grain, made once and scrolled: a copy of rows per frame, yet every macroblock moves, so that the encoder
 * has to work as with a camera. The scroll speed is not a whole number of pixels per frame.
 */
function picture(source: TestSource): string {
  const { width, height, fps } = source;
  const still = `testsrc2=s=${width}x${height}:r=${fps},trim=end_frame=1,noise=alls=24:allf=p,format=yuv420p`;
  const moving = `${still},loop=-1:1,setpts=N,scroll=h=0.00625`;
  const clock = source.fontFile === undefined ? '' : `,${clockText(source.fontFile, height)}`;
  return `${stripFilter(width, height, fps)}[strip];${moving}[picture];[picture][strip]overlay=0:0:format=yuv420${clock}`;
}

/** Wall clock (UTC) and frame number for people, below the strip. */
function clockText(fontFile: string, height: number): string {
  const size = Math.max(10, Math.round(height / 18));
  const text = '%{gmtime\\:%H\\\\\\:%M\\\\\\:%S}  %{n}';
  const style = `fontsize=${size}:fontcolor=white:box=1:boxcolor=black:boxborderw=4`;
  return `drawtext=fontfile='${fontFile}':${style}:x=16:y=h/6:text='${text}'`;
}
