import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Child, ChildHost, ChildLine } from '../child-host.ts';
import { Backoff } from './backoff.ts';
import { buildCapture } from './build-capture.ts';
import { type CaptureFault, codecFaultOfLine, faultOfLine, moreTelling, redact } from './faults.ts';
import { drainRawPipe, ensureRawPipe } from './raw-pipe.ts';
import { SensorClock } from './sensor-clock.ts';
import type { CaptureCommand, CaptureTargets, SourceSpec } from './types.ts';

export interface SourceStatus {
  readonly state: 'starting' | 'running' | 'stalled' | 'backing-off' | 'stopped';
  /** Why it does not run; null while nothing is wrong. */
  readonly fault: CaptureFault | null;
  /** Until the next attempt, at the time the status was told. */
  readonly nextTryInMs: number | null;
  /** How often the pipeline was started again. */
  readonly restarts: number;
  /** The last line of output that named an error, without secrets. */
  readonly lastErrorLine: string | null;
  readonly encoderReason: string;
}

export interface SourceHandlerOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly source: SourceSpec;
  readonly targets: CaptureTargets;
  readonly onStatus?: (status: SourceStatus) => void;
  /** Frames that stop arriving for this long are a fault. Default 2500. */
  readonly stallMs?: number;
  /** Time from start to the first frame before that is a fault, too: sensors and network cameras start slowly. Default 15000. */
  readonly startTimeoutMs?: number;
  /** First and longest pause between attempts. Default 100 and 10000. */
  readonly backoffMs?: readonly [first: number, max: number];
}

/** How long frames must have arrived for the backoff to begin anew. */
const stableMs = 10_000;
const watchMs = 250;

/**
 * Keeps one source running, and alone restarts it. Whoever receives the live stream must report frames by `noteFrames`; a
 * pipeline that lives and delivers none is ended with its whole group and started again.
 */
export class SourceHandler {
  private readonly options: SourceHandlerOptions;
  private readonly backoff: Backoff;
  private readonly command: CaptureCommand;
  /** When the sensor took its frames, where the source tells. */
  readonly sensorClock: SensorClock | undefined;
  private current: SourceStatus;
  private framesTotal = -1;
  /** What the camera sends, where that cannot be passed on. */
  private codecFault: CaptureFault | undefined;
  private lastFrameMs = 0;
  /** Count of frames when the present pipeline started; null while none runs. */
  private framesBefore: number | null = null;

  /** @throws SourceSpecError */
  constructor(options: SourceHandlerOptions) {
    this.options = options;
    this.backoff = new Backoff(...(options.backoffMs ?? [100, 10_000]));
    this.command = buildCapture(options.source, options.targets);
    const { encoderReason } = this.command;
    const { host, logger, source } = options;
    if (source.kind === 'rpicam' && source.ptsFile !== undefined) {
      this.sensorClock = new SensorClock({ host, logger, id: source.id, file: source.ptsFile });
    }
    const quiet = { fault: null, nextTryInMs: null, restarts: 0, lastErrorLine: null };
    this.current = { state: 'stopped', ...quiet, encoderReason };
  }

  get status(): SourceStatus {
    return this.current;
  }

  /** What the raw pipe carries; a recorder needs it. */
  get raw(): CaptureCommand['raw'] {
    return this.command.raw;
  }

  /** Tells how many frames of this source have arrived since any fixed moment; call it on arrival or at least twice a second. */
  noteFrames(framesTotal: number): void {
    if (framesTotal === this.framesTotal) return;
    this.framesTotal = framesTotal;
    this.lastFrameMs = performance.now();
    // A take may be asked for as soon as anybody sees the picture.
    if (this.begun) this.tellRunning();
  }

  /** Tells that nobody can see now whether frames arrive, which is no fault of the source; call it at least twice a second. */
  noteBlindness(): void {
    this.lastFrameMs = performance.now();
  }

  /** Runs until the signal aborts; ends the pipeline then. Faults of the source never make it reject. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.keepRunning(signal), this.sensorClock?.run(signal)]);
  }

  private async keepRunning(signal: AbortSignal): Promise<void> {
    const { source } = this.options;
    let attempts = 0;
    while (!signal.aborted) {
      this.tell({ state: 'starting', nextTryInMs: null, restarts: attempts });
      const fault = await this.runOnce(signal);
      attempts += 1;
      if (signal.aborted) break;
      const nextTryInMs = this.backoff.next();
      this.tell({ state: 'backing-off', fault, nextTryInMs });
      this.options.logger.warn({ source: source.id, fault, nextTryInMs }, 'source ended, trying again');
      // An abort only ends the pause early.
      await sleep(nextTryInMs, undefined, { signal }).catch(() => {});
    }
    this.tell({ state: 'stopped', fault: null, nextTryInMs: null });
  }

  /** One life of the pipeline. Returns why it ended. */
  private async runOnce(signal: AbortSignal): Promise<CaptureFault> {
    const { host, source, targets, logger } = this.options;
    let seen: CaptureFault | undefined;
    this.codecFault = undefined;
    const onLine = ({ text }: ChildLine) => {
      const line = redact(text);
      const fault = faultOfLine(line);
      seen = moreTelling(seen, fault);
      if (source.kind === 'rtsp' && /Stream #0:/.test(line)) this.codecFault ??= codecFaultOfLine(line);
      if (fault !== undefined || /\[(error|fatal|panic)\]/.test(line)) this.tell({ lastErrorLine: line });
      logger.debug({ source: source.id, line }, 'capture says');
    };
    try {
      if (targets.rawPipe !== undefined) await ensureRawPipe(host, targets.rawPipe);
      const spec = {
        name: `capture-${source.id}`,
        argv: this.command.argv,
        durable: true,
        stopTimeoutMs: 2000,
      };
      const child = await host.spawn(spec, onLine);
      const stalled = await this.watch(child, signal);
      return stalled ?? seen ?? { code: 'ended', words: 'The stream ended.' };
    } catch (error) {
      logger.error({ err: error, source: source.id }, 'pipeline could not be run');
      return faultOfError(error);
    }
  }

  /** Waits for the end of the pipeline, or brings it about: on abort, or when frames stop. */
  private async watch(child: Child, signal: AbortSignal): Promise<CaptureFault | undefined> {
    const startedMs = performance.now();
    this.lastFrameMs = startedMs;
    this.framesBefore = this.framesTotal;
    let ended = false;
    const end = child.exited.then(() => {
      this.framesBefore = null;
      ended = true;
    });
    while (!ended) {
      const stall = signal.aborted ? undefined : this.check(startedMs);
      if (signal.aborted || stall !== undefined) {
        await this.stop(child);
        return stall;
      }
      // An abort only ends the pause early.
      await Promise.race([end, sleep(watchMs, undefined, { signal }).catch(() => {})]);
    }
    return undefined;
  }

  /** Looks whether frames arrive; tells the state, and the fault where they do not. */
  private check(startedMs: number): CaptureFault | undefined {
    const { begun } = this;
    const now = performance.now();
    const silentMs = now - this.lastFrameMs;
    const { stallMs = 2500, startTimeoutMs = 15_000 } = this.options;
    if (silentMs > (begun ? stallMs : startTimeoutMs)) {
      const words = begun ? 'Frames stopped arriving.' : 'The camera started, but no frame arrived.';
      const stalled = { code: 'stalled', words } as const;
      const fault = begun ? stalled : (this.codecFault ?? stalled);
      this.framesBefore = null;
      this.tell({ state: 'stalled', fault });
      return fault;
    }
    if (begun) this.tellRunning();
    if (begun && now - startedMs > stableMs) this.backoff.reset();
    return undefined;
  }

  /** Whether frames of the present pipeline have arrived. */
  private get begun(): boolean {
    return this.framesBefore !== null && this.framesTotal !== this.framesBefore;
  }

  private tellRunning(): void {
    if (this.current.state === 'running') return;
    this.tell({ state: 'running', fault: null, lastErrorLine: null });
  }

  /** Ends the group. Without a recorder the pipe must be emptied meanwhile, or ffmpeg would have to be killed. */
  private async stop(child: Child): Promise<void> {
    const drained = new AbortController();
    const { rawPipe } = this.options.targets;
    const stopping = child.stop().then(() => drained.abort());
    const draining = rawPipe === undefined ? Promise.resolve() : drainRawPipe(rawPipe, drained.signal);
    await Promise.all([stopping, draining]);
  }

  private tell(change: Partial<SourceStatus>): void {
    this.current = { ...this.current, ...change };
    this.options.onStatus?.(this.current);
  }
}

function faultOfError(error: unknown): CaptureFault {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'CHILD_SPAWN_FAILED') {
    return { code: 'program-missing', words: 'The capture program could not be started.' };
  }
  return { code: 'unknown', words: error instanceof Error ? error.message : `${error}` };
}
