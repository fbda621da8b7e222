import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { RawStream } from '../capture/types.ts';
import type { ChildHost } from '../child-host.ts';
import { expectedBytesPerSecond, freeBytes, remainingSeconds, requireSpace } from './disk.ts';
import type { EncodeSpeed } from './encode-speed.ts';
import { MastersError } from './errors.ts';
import { Recorder } from './recorder.ts';
import type { MasterCodec, MasterStrategy } from './recorder-command.ts';
import type { SegmentProgress } from './segment-watch.ts';
import { chooseStrategy, type StrategyChoice } from './strategy-choice.ts';
import type { Take } from './take.ts';
import type { TakeStore } from './take-store.ts';

/** A camera that can be recorded, and what its capture pipeline delivers. */
export interface RecordableCamera {
  readonly camera: string;
  readonly raw: RawStream;
}

export interface MastersSettings {
  readonly codec: MasterCodec | 'off';
  readonly strategy: MasterStrategy | 'auto';
  readonly reserveBytes: number;
}

export interface MastersOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly store: TakeStore;
  /** The folder of the takes; its file system is the one that fills. */
  readonly root: string;
  readonly speed: EncodeSpeed;
  /** Asked at every start of a take, so a changed configuration holds from the next one on. */
  readonly settings: () => MastersSettings;
  /** All cameras of this appliance that can be recorded now. */
  readonly cameras: () => readonly RecordableCamera[];
  /** The named pipe of a camera's capture pipeline, also of one that does not run (yet). */
  readonly pipeOf: (camera: string) => string;
  /** Called when a take changed: state, frames. */
  readonly onChange?: (takeId: string) => void;
}

interface Running {
  readonly take: Take;
  readonly stop: AbortController;
  readonly progress: Map<string, SegmentProgress>;
  readonly recorded: Promise<unknown>;
  readonly finished: Promise<unknown>;
}

/** Starts and stops takes over all cameras of this appliance, and goes on with those a crash interrupted. */
export class Masters {
  private readonly options: MastersOptions;
  private readonly active = new Map<string, Running>();
  private readonly ending = new AbortController();

  constructor(options: MastersOptions) {
    this.options = options;
  }

  /** Ids of takes that are still wanted. */
  get recording(): readonly string[] {
    return [...this.active.values()]
      .filter(({ stop }) => !stop.signal.aborted)
      .map(({ take }) => take.manifest.id);
  }

  /** What grows at the moment, by camera. Its frames are on their way to disk; take.json states them once a segment is closed. */
  progress(id: string): ReadonlyMap<string, SegmentProgress> {
    return this.active.get(id)?.progress ?? new Map();
  }

  /** Goes on with unfinished takes, then waits for the end: takes end then, and what compressing and verifying is left is done at the next start. */
  async run(signal: AbortSignal): Promise<void> {
    for (const take of await this.options.store.unfinished()) await this.resume(take);
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    this.ending.abort();
    await Promise.all([...this.active.keys()].map((id) => this.stop(id)));
    await Promise.all([...this.active.values()].map(({ finished }) => finished));
  }

  /**
   * Begins a take on the named cameras, or on all.
   * @throws MastersError (nothing to record, unknown camera, codec off), TakeIdError, DiskReserveError
   */
  async start(id: string, names: readonly string[] | null): Promise<Take> {
    const { store, settings, root } = this.options;
    const { codec, reserveBytes, strategy } = settings();
    if (codec === 'off') throw new MastersError('masters are switched off in the configuration');
    const cameras = this.select(names);
    await mkdir(root, { recursive: true });
    await requireSpace(root, reserveBytes);
    const choices = await Promise.all(cameras.map((camera) => this.strategy(codec, strategy, camera.raw)));
    const take = await store.createTake(id, new Date());
    const parts = cameras.map((camera, index) => {
      const { strategy, reason } = choices[index] ?? unknownStrategy;
      return { ...camera, codec, strategy, strategyReason: reason, threads: masterThreads(), reserveBytes };
    });
    await this.launch(take, parts);
    return take;
  }

  /** Ends a take; settles once every segment is closed. Compressing and verifying go on. @throws TakeNotFoundError */
  async stop(id: string): Promise<Take> {
    const take = await this.options.store.get(id);
    const running = this.active.get(id);
    if (take.manifest.stoppedAt === null) {
      const stoppedAt = new Date().toISOString();
      await take.update((manifest) => ({ ...manifest, wanted: false, stoppedAt }));
    }
    running?.stop.abort();
    await running?.recorded;
    return take;
  }

  /** Seconds that can still be recorded on these cameras before only the reserve is left; null where nothing would grow. */
  async remainingSeconds(names: readonly string[] | null): Promise<number | null> {
    const { settings, root } = this.options;
    const { strategy, reserveBytes } = settings();
    const assumed = strategy === 'direct' ? 'direct' : 'spool';
    const rates = this.select(names).map(({ raw }) => expectedBytesPerSecond(raw, assumed));
    const total = rates.reduce((sum, rate) => sum + rate, 0);
    return remainingSeconds(await freeBytes(root), reserveBytes, total);
  }

  private select(names: readonly string[] | null): readonly RecordableCamera[] {
    const all = this.options.cameras();
    const unknown = names?.find((name) => !all.some(({ camera }) => camera === name));
    if (unknown !== undefined) throw new MastersError(`there is no camera ${unknown} to record`);
    const chosen = names === null ? all : all.filter(({ camera }) => names.includes(camera));
    if (chosen.length === 0) throw new MastersError('there is no camera to record');
    return chosen;
  }

  private async strategy(
    codec: MasterCodec,
    configured: MasterStrategy | 'auto',
    raw: RawStream,
  ): Promise<StrategyChoice> {
    const measure = configured === 'auto' && raw.codec === 'rawvideo';
    const { speed } = this.options;
    const measuredFps = measure
      ? await speed.framesPerSecond(codec, raw, masterThreads(), this.ending.signal)
      : null;
    return chooseStrategy({ configured, codec, raw, measuredFps });
  }

  /** Goes on with a take: its recorders are taken over where they run, and what is missing is done. */
  private async resume(take: Take): Promise<void> {
    const { reserveBytes } = this.options.settings();
    const parts = Object.entries(take.manifest.cameras).map(([camera, record]) => ({
      ...{ camera, raw: record.source, codec: record.codec, strategy: record.strategy },
      ...{ strategyReason: record.strategyReason, threads: record.threads, reserveBytes },
    }));
    this.options.logger.info(
      { take: take.manifest.id, wanted: take.manifest.wanted },
      'going on with a take',
    );
    if (parts.length === 0) await endUnbegun(take);
    else await this.launch(take, parts);
  }

  /** Settles once take.json names every camera. */
  private async launch(take: Take, parts: readonly Part[]): Promise<void> {
    const { id } = take.manifest;
    const stop = new AbortController();
    if (!take.manifest.wanted) stop.abort();
    const progress = new Map<string, SegmentProgress>();
    const recordings = parts.map((part) => this.recording(take, part, progress));
    const prepared = await Promise.allSettled(recordings.map(({ recorder }) => recorder.prepare()));
    const refused = prepared.find((outcome) => outcome.status === 'rejected');
    if (refused !== undefined) {
      await this.giveUp(take, refused.reason);
      throw refused.reason;
    }
    const running = recordings.map((recording) => this.follow(take, recording, stop.signal));
    const recorded = Promise.all(recordings.map(({ closed }) => closed.promise));
    const finished = Promise.all(running).then(() => {
      this.active.delete(id);
      this.options.onChange?.(id);
    });
    this.active.set(id, { take, stop, progress, recorded, finished });
  }

  private recording(take: Take, part: Part, progress: Map<string, SegmentProgress>): Recording {
    const { host, logger, onChange, pipeOf } = this.options;
    const closed = Promise.withResolvers<void>();
    const recorder = new Recorder(take, {
      ...{ ...part, host, logger, pipe: pipeOf(part.camera) },
      onProgress: (now) => {
        progress.set(part.camera, now);
        onChange?.(take.manifest.id);
      },
      onRecorded: () => {
        closed.resolve();
        onChange?.(take.manifest.id);
      },
    });
    return { camera: part.camera, recorder, closed };
  }

  /** Runs one camera's recorder to its end; what goes wrong is stated in take.json. */
  private async follow(
    take: Take,
    { camera, recorder, closed }: Recording,
    wanted: AbortSignal,
  ): Promise<void> {
    try {
      await recorder.run(wanted, this.ending.signal);
    } catch (error) {
      // What is left undone because the program ends is done at its next start.
      if (!this.ending.signal.aborted) await this.partFailed(take, camera, error);
    } finally {
      closed.resolve();
    }
  }

  /** No camera begins where one could not: a take is started together. */
  private async giveUp(take: Take, error: unknown): Promise<void> {
    for (const camera of Object.keys(take.manifest.cameras)) await this.partFailed(take, camera, error);
    await endUnbegun(take);
  }

  private async partFailed(take: Take, camera: string, error: unknown): Promise<void> {
    this.options.logger.error({ err: error, take: take.manifest.id, camera }, 'recording failed');
    const reason = error instanceof Error ? error.message : `${error}`;
    if (take.manifest.cameras[camera] === undefined) return;
    try {
      await take.updateCamera(camera, (record) => ({ ...record, state: 'failed', reason }));
    } catch (cause) {
      // The disk may be the very thing that failed; the take then shows what it last could say.
      this.options.logger.error({ err: cause, take: take.manifest.id }, 'take.json cannot be written');
    }
  }
}

interface Recording {
  readonly camera: string;
  readonly recorder: Recorder;
  /** Resolves once nothing is recorded any more. */
  readonly closed: PromiseWithResolvers<void>;
}

interface Part {
  readonly camera: string;
  readonly raw: RawStream;
  readonly codec: MasterCodec;
  readonly strategy: MasterStrategy;
  readonly strategyReason: string;
  readonly threads: number;
  readonly reserveBytes: number;
}

const unknownStrategy: StrategyChoice = { strategy: 'spool', reason: 'Not measured.' };

/** A take whose program ended before any camera began. */
async function endUnbegun(take: Take): Promise<void> {
  const stoppedAt = new Date().toISOString();
  await take.update((manifest) => ({
    ...manifest,
    wanted: false,
    stoppedAt: manifest.stoppedAt ?? stoppedAt,
  }));
}

/** All cores: a recorder that falls behind loses frames, which is worse than anything else slowing down. */
function masterThreads(): number {
  return Math.min(16, availableParallelism());
}
