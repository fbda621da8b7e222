import type { Logger } from 'pino';
import { Backoff, type BackoffLimits } from '../../common/backoff.ts';
import type { Child, ChildHost, ChildLine } from '../../common/child-host.ts';
import { errorCode, messageOf } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import { type CaptureFault, codecFault, faultOfLine, moreTelling, redact } from './faults.ts';
import { FrameRateMeter, isSlow, rateOf } from './frame-rate.ts';
import { buildCapture, type SourceSpec } from './kinds/index.ts';
import { drainRawPipe, ensureRawPipe } from './raw-pipe.ts';
import { SensorClock } from './sensor-clock.ts';
import { negotiatedRange, type StreamFacts, StreamFactsReader } from './stream-facts.ts';
import type { CaptureCommand, CaptureTargets, RawStream } from './types.ts';

/** The state of a source. */
export interface SourceStatus {
  readonly state: 'starting' | 'running' | 'stalled' | 'backing-off' | 'stopped';
  /** Why it does not run, or not as requested; null while nothing is wrong. */
  readonly fault: CaptureFault | null;
  /** Until the next attempt, at the time of the status, in milliseconds. */
  readonly nextTryInMs: number | null;
  /** How often the pipeline was restarted. */
  readonly restarts: number;
  /** The line of output that says most about the problem, without secrets. */
  readonly lastErrorLine: string | null;
  /** Frames per second that arrive; null while unknown. */
  readonly deliveredFps: number | null;
  readonly encoderReason: string;
}

/** The source and its times. */
export interface SourceHandlerOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly source: SourceSpec;
  readonly targets: CaptureTargets;
  readonly onStatus?: (status: SourceStatus) => void;
  /** If no frames arrive for this long, in milliseconds, that is a fault. Default 2500. */
  readonly stallMs?: number;
  /** The same between start and the first frame, in milliseconds: sensors and network cameras start slowly. Default 15000. */
  readonly startTimeoutMs?: number;
  /** Pauses between attempts. Default 100 ms to 10 s. */
  readonly backoff?: BackoffLimits;
}

/** How long frames must have arrived before the backoff starts again. */
const stableMs = 10_000;
const watchMs = 250;

/** Cameras that send H.265 may send ten bits, which H.264 of a camera never has. */
const h265Frames = {
  codec: 'hevc',
  pixelFormat: 'yuv420p|yuv422p|yuv444p|yuv420p10le|yuv422p10le|yuv444p10le',
} as const;

const reordered: CaptureFault = {
  code: 'reordered',
  words:
    'The camera sends B-frames, which browsers show jumping back and forth: switch them off in the camera.',
};

/**
 * Keeps one source running; nothing else restarts it. The receiver of the live stream must report frames by `noteFrames`; a
 * pipeline that lives and delivers none is ended with its whole group and started again.
 */
export class SourceHandler {
  readonly #options: SourceHandlerOptions;
  readonly #backoff: Backoff;
  readonly #command: CaptureCommand;
  /** When the sensor took its frames, if the source reports it. */
  readonly sensorClock: SensorClock | undefined;
  #current: SourceStatus;
  #framesTotal = -1;
  #lastFrameMs = 0;
  /** Count of frames when the current pipeline started; null while none runs. */
  #framesBefore: number | null = null;
  readonly #meter = new FrameRateMeter();
  /** What the pipeline said about its input, and what was negotiated with the device. */
  #facts: StreamFacts = {};
  #askedDevice = false;
  /** The camera's H.264 has B-frames. */
  #reordersFrames = false;
  /** The most specific cause that the current pipeline named. */
  #seen: CaptureFault | undefined;

  /** @throws SourceSpecError */
  constructor(options: SourceHandlerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? { firstMs: 100, maxMs: 10_000 });
    this.#command = buildCapture(options.source, options.targets);
    const { encoderReason, sensorTimes } = this.#command;
    const { host, logger, source } = options;
    if (sensorTimes !== undefined) {
      this.sensorClock = new SensorClock({ host, logger, id: source.id, file: sensorTimes });
    }
    const quiet = { fault: null, nextTryInMs: null, restarts: 0, lastErrorLine: null, deliveredFps: null };
    this.#current = { state: 'stopped', ...quiet, encoderReason };
  }

  get status(): SourceStatus {
    return this.#current;
  }

  /** What the raw pipe carries, as far as it is known by now; a recorder needs it. */
  get raw(): RawStream {
    const { raw, askedFps } = this.#command;
    const { range = raw.range, fps: stated, codec } = this.#facts;
    const sent = raw.codec === 'h264' && codec === 'hevc' ? { ...raw, ...h265Frames } : raw;
    return { ...sent, range, fps: askedFps ?? rateOf(stated, this.#meter.fps) ?? raw.fps };
  }

  /**
   * Reports how many frames of this source have arrived since any fixed moment; call it on arrival or at least twice a second.
   */
  noteFrames(framesTotal: number, reordersFrames = false): void {
    if (framesTotal === this.#framesTotal) return;
    this.#reordersFrames = reordersFrames;
    this.#framesTotal = framesTotal;
    this.#lastFrameMs = performance.now();
    this.#meter.note(framesTotal, this.#lastFrameMs);
    // A take may start as soon as anyone sees the picture.
    if (this.#begun) this.#tellRunning();
  }

  /**
   * Reports that it is unknown now whether frames arrive, which is no fault of the source; call it at least twice a second.
   */
  noteBlindness(): void {
    this.#lastFrameMs = performance.now();
  }

  /** Runs until the signal aborts; ends the pipeline then. Faults of the source never make it reject. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#keepRunning(signal), this.sensorClock?.run(signal)]);
  }

  async #keepRunning(signal: AbortSignal): Promise<void> {
    const { source } = this.#options;
    let attempts = 0;
    while (!signal.aborted) {
      this.#tell({ state: 'starting', nextTryInMs: null, restarts: attempts, deliveredFps: null });
      const fault = await this.#runOnce(signal);
      attempts += 1;
      if (signal.aborted) break;
      const nextTryInMs = this.#backoff.nextMs();
      this.#tell({ state: 'backing-off', fault, nextTryInMs });
      this.#options.logger.warn({ source: source.id, fault, nextTryInMs }, 'source ended, trying again');
      // An abort only ends the pause early.
      await pause(nextTryInMs, signal);
    }
    this.#tell({ state: 'stopped', fault: null, nextTryInMs: null });
  }

  /** One life of the pipeline. Returns why it ended. */
  async #runOnce(signal: AbortSignal): Promise<CaptureFault> {
    const { host, source, targets, logger } = this.#options;
    this.#seen = undefined;
    const reader = new StreamFactsReader();
    const onLine = ({ text }: ChildLine) => {
      const line = redact(text);
      const isFact = reader.push(text);
      if (isFact) this.#facts = reader.facts;
      const wrongCodec = isFact ? codecFault(this.#command.raw.codec, reader.facts.codec) : undefined;
      // It cannot work: everyone who waits for the picture reads why at once.
      if (wrongCodec !== undefined) this.#tell({ fault: wrongCodec });
      const fault = wrongCodec ?? faultOfLine(line);
      const known = this.#seen;
      this.#seen = moreTelling(known, fault);
      // Lines after the one that names the cause often only repeat that something failed.
      const tells = this.#seen !== known || (known === undefined && /\[(error|fatal|panic)\]/.test(line));
      if (tells) this.#tell({ lastErrorLine: line });
      logger.debug({ source: source.id, line }, 'capture says');
    };
    try {
      if (targets.rawPipe !== undefined) await ensureRawPipe(host, targets.rawPipe);
      const spec = {
        name: `capture-${source.id}`,
        argv: this.#command.argv,
        durable: true,
        stopTimeoutMs: 2000,
      };
      const child = await host.spawn(spec, onLine);
      const stalled = await this.#watch(child, signal);
      return causeOf(stalled, this.#seen) ?? { code: 'ended', words: 'The stream ended.' };
    } catch (error) {
      logger.error({ err: error, source: source.id }, 'pipeline could not be run');
      return faultOfError(error);
    }
  }

  /** Waits for the end of the pipeline, or causes it: on abort, or when frames stop. */
  async #watch(child: Child, signal: AbortSignal): Promise<CaptureFault | undefined> {
    const startedMs = performance.now();
    this.#lastFrameMs = startedMs;
    this.#framesBefore = this.#framesTotal;
    this.#meter.restart();
    this.#askedDevice = false;
    let ended = false;
    const end = child.exited.then(() => {
      this.#framesBefore = null;
      ended = true;
    });
    while (!ended) {
      const stall = signal.aborted ? undefined : this.#check(startedMs);
      if (signal.aborted || stall !== undefined) {
        await this.#stop(child);
        return stall;
      }
      // An abort only ends the pause early.
      await Promise.race([end, pause(watchMs, signal)]);
    }
    return undefined;
  }

  /** Checks whether frames arrive; reports the state, and the fault if they do not. */
  #check(startedMs: number): CaptureFault | undefined {
    const begun = this.#begun;
    const now = performance.now();
    const silentMs = now - this.#lastFrameMs;
    const { stallMs = 2500, startTimeoutMs = 15_000 } = this.#options;
    if (silentMs > (begun ? stallMs : startTimeoutMs)) {
      const words = begun ? 'Frames stopped arriving.' : 'The camera started, but no frame arrived.';
      const fault = { code: 'stalled', words } as const;
      this.#framesBefore = null;
      this.#tell({ state: 'stalled', fault });
      return fault;
    }
    if (begun) this.#tellRunning();
    if (begun) this.#judgeStream();
    // A receiver that joins a stream between two keyframes cannot read it at first; frames show that it can be read.
    if (begun && this.#seen?.code === 'codec-not-supported') this.#seen = undefined;
    if (begun && !this.#askedDevice) void this.#askDevice();
    if (begun && now - startedMs > stableMs) this.#backoff.reset();
    return undefined;
  }

  /** Whether frames of the current pipeline have arrived. */
  get #begun(): boolean {
    return this.#framesBefore !== null && this.#framesTotal !== this.#framesBefore;
  }

  #tellRunning(): void {
    if (this.#current.state === 'running') return;
    this.#tell({ state: 'running', fault: null, lastErrorLine: null });
  }

  /** Reports if what arrives is not what was requested. */
  #judgeStream(): void {
    const { fps } = this.#meter;
    const deliveredFps = fps === null ? null : Math.round(fps * 10) / 10;
    const fault = this.#streamFault(fps);
    const [was, is] = [this.#current.deliveredFps, deliveredFps];
    // A rate that varies by tenths is not reported.
    const sameRate = was === is || (was !== null && is !== null && Math.abs(was - is) < 0.5);
    if (sameRate && fault?.code === this.#current.fault?.code) return;
    this.#tell({ fault, deliveredFps });
  }

  #streamFault(fps: number | null): CaptureFault | null {
    if (this.#reordersFrames) return reordered;
    const { askedFps } = this.#command;
    // Pictures are thinned on purpose.
    const thinned = this.#options.targets.encoder.encoder === 'mjpeg';
    if (askedFps === null || thinned || !isSlow(fps, askedFps)) return null;
    const share = `${Math.round(fps ?? 0)} of the ${askedFps} frames a second that were asked for`;
    return {
      code: 'slow',
      words: `The camera sends ${share}: give it more light, fix its exposure, or ask for fewer.`,
    };
  }

  /** Asks which range was negotiated for the samples, if they do not say. */
  async #askDevice(): Promise<void> {
    this.#askedDevice = true;
    const { source, host, logger } = this.#options;
    const { rangeQuery: argv } = this.#command;
    if (argv === undefined) return;
    const lines: string[] = [];
    try {
      const child = await host.spawn(
        { name: `format-${source.id}`, argv, stopTimeoutMs: 1000 },
        ({ text }) => {
          if (lines.length < 40) lines.push(text);
        },
      );
      await child.exited;
      const range = negotiatedRange(lines.join('\n'));
      if (range !== undefined) this.#facts = { ...this.#facts, range };
      else logger.warn({ source: source.id, lines }, 'the camera does not say which range its samples have');
    } catch (error) {
      logger.warn(
        { err: error, source: source.id },
        'the camera cannot be asked for the range of its samples',
      );
    }
  }

  /** Ends the group. Without a recorder the pipe must be emptied meanwhile, or ffmpeg would have to be killed. */
  async #stop(child: Child): Promise<void> {
    const drained = new AbortController();
    const { rawPipe } = this.#options.targets;
    const stopping = child.stop().then(() => drained.abort());
    const draining = rawPipe === undefined ? Promise.resolve() : drainRawPipe(rawPipe, drained.signal);
    await Promise.all([stopping, draining]);
  }

  #tell(change: Partial<SourceStatus>): void {
    this.#current = { ...this.#current, ...change };
    this.#options.onStatus?.(this.#current);
  }
}

/** A stream that cannot be used explains why none of its frames arrived; otherwise the last cause counts. */
function causeOf(
  stalled: CaptureFault | undefined,
  seen: CaptureFault | undefined,
): CaptureFault | undefined {
  return seen?.code === 'codec-not-supported' ? seen : (stalled ?? seen);
}

function faultOfError(error: unknown): CaptureFault {
  if (errorCode(error) === 'CHILD_SPAWN_FAILED') {
    return { code: 'program-missing', words: 'The capture program could not be started.' };
  }
  return { code: 'unknown', words: messageOf(error) };
}
