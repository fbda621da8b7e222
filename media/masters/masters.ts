import pLimit from 'p-limit';
import { pause, untilAborted } from '../../common/pause.ts';
import { asDiskError, makeTakesFolder, requireSpace } from './disk/disk.ts';
import { isSilence, silence } from './disk/disk-trouble.ts';
import {
  DiskFilesError,
  DiskUnavailableError,
  MastersError,
  MastersOffError,
  TakeUnfinishedError,
} from './errors.ts';
import type { MastersOptions, RecordableCamera } from './masters-options.ts';
import { masterThreads, RecordPlanner } from './recorder/record-planner.ts';
import type { SegmentProgress } from './segment/segment-watch.ts';
import type { FinishProgress } from './take/finish-progress.ts';
import { SilencedTakes } from './take/silenced-takes.ts';
import type { Take } from './take/take.ts';
import { type TakePart, TakeRun } from './take/take-run.ts';

/**
 * Until a stop is answered although its recorders have not ended, in milliseconds: one that does not obey is killed after 5 s,
 * and given up after 8 s.
 */
const defaultStopPatienceMs = 12_000;
/** A disk that failed is remembered for this long, in milliseconds. */
const troubleMs = 60_000;
/** Until a disk that cannot be read is looked at again. */
const longestPauseMs = 60_000;

/**
 * Starts and stops takes over all cameras of this appliance, and continues those that a crash interrupted. Commands are carried
 * out one after the other, no matter who gives them and when, so that none finds a take half begun or half ended.
 */
export class Masters {
  readonly #options: MastersOptions;
  readonly #planner: RecordPlanner;
  readonly #inTurn = pLimit(1);
  readonly #removing = new Set<string>();
  /** Takes of an earlier run of the program that were handled. */
  readonly #resumed = new Set<string>();
  readonly #active = new Map<string, TakeRun>();
  readonly #silenced = new SilencedTakes();
  /** Cameras whose pipe has a reader that never reads. */
  readonly #heldPipes = new Set<string>();
  readonly #working = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  #trouble: { readonly reason: string; readonly atMs: number } | null = null;

  constructor(options: MastersOptions) {
    this.#options = options;
    this.#planner = new RecordPlanner(options);
  }

  /** Ids of takes that are still wanted. */
  get recording(): readonly string[] {
    return [...this.#active.values()].filter(({ stopped }) => !stopped).map(({ take }) => take.manifest.id);
  }

  /** Whether anything is recorded, compressed or verified. */
  get isBusy(): boolean {
    return this.#active.size > 0;
  }

  /** What was wrong with the masters' disk within the last minute, and what to do; null if nothing was. */
  get diskTrouble(): string | null {
    const trouble = this.#trouble;
    return trouble !== null && performance.now() - trouble.atMs < troubleMs ? trouble.reason : null;
  }

  /** Whether a take is to end, even if its take.json does not say so yet. */
  isStopped(id: string): boolean {
    return this.#active.get(id)?.stopped === true;
  }

  /** Why a take is not finished although nothing prevents it but its disk; null if that answers. */
  silence(id: string): string | null {
    const run = this.#active.get(id);
    return run?.wasSilenced === true || this.#silenced.has(id) ? `the disk of the masters ${silence}` : null;
  }

  /** How far compressing and verifying are, by camera. */
  finishing(id: string): ReadonlyMap<string, FinishProgress> {
    return this.#active.get(id)?.finishing ?? new Map();
  }

  /**
   * What grows at the moment, by camera. Its frames are on their way to disk; take.json states them once a segment is closed.
   */
  progress(id: string): ReadonlyMap<string, SegmentProgress> {
    return this.#active.get(id)?.progress ?? new Map();
  }

  /**
   * Continues unfinished takes, then waits for the end: running takes end then, and remaining compressing and verifying is done
   * at the next start.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#inTurn(() => this.#resumeAll());
    await this.#keepResuming(signal);
    this.#ending.abort();
    await this.#inTurn(() => Promise.all([...this.#active.keys()].map((id) => this.#end(id))));
    await Promise.all(this.#working);
    await this.#options.rates.written();
  }

  /**
   * Begins a take on the named cameras, or on all; of the named ones, on those that are available.
   * @throws MastersError (nothing to record, a camera that another take records), MastersOffError, TakeIdError,
   * DiskReserveError, DiskFilesError, DiskUnavailableError. Nothing of the take is left then.
   */
  start(id: string, names: readonly string[] | null): Promise<Take> {
    this.#planner.interrupt();
    return this.#inTurn(async () => {
      try {
        return await this.#begin(id, names);
      } catch (error) {
        if (error instanceof DiskUnavailableError || error instanceof DiskFilesError) {
          this.#noteTrouble(error.message);
        }
        throw error;
      }
    });
  }

  /**
   * Ends a take, even one that is still starting; settles once none of its recorders runs any more. Closing, compressing and
   * verifying continue.
   * @throws TakeNotFoundError
   */
  stop(id: string): Promise<Take> {
    return this.#inTurn(() => this.#end(id));
  }

  /**
   * Removes a take and its masters for good.
   * @throws TakeNotFoundError, TakeUnfinishedError (it is being recorded, compressed or verified), TakeRemovalError
   */
  async remove(id: string): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#active.has(id) || this.#removing.has(id)) {
        throw new TakeUnfinishedError(`take ${id} is still being recorded, finished or removed`);
      }
      this.#removing.add(id);
    });
    // Removing many files takes long: the next take does not wait for it.
    try {
      await this.#options.store.remove(id);
    } finally {
      this.#removing.delete(id);
    }
  }

  /** A take on a disk that could not be read just now may still be wanted, and one on a disk that hung can be finished. */
  async #keepResuming(signal: AbortSignal): Promise<void> {
    const ended = untilAborted(signal);
    for (let pauseMs = 1000; !signal.aborted; ) {
      const isDue = this.#options.store.isUnread || this.#silenced.size > 0;
      if (isDue) await pause(pauseMs, signal);
      else await Promise.race([ended, this.#silenced.added]);
      pauseMs = isDue ? Math.min(2 * pauseMs, longestPauseMs) : 1000;
      if (isDue && !signal.aborted) await this.#inTurn(() => this.#resumeAll());
    }
  }

  async #resumeAll(): Promise<void> {
    // Only while nothing records: the recorders of a take that is tried again must not meet others.
    if (this.#active.size === 0) {
      for (const id of await this.#silenced.takeAnswered(this.#options.logger)) this.#resumed.delete(id);
    }
    for (const take of await this.#options.store.unfinished()) {
      const { id } = take.manifest;
      if (this.#removing.has(id) || this.#active.has(id) || this.#resumed.has(id)) continue;
      this.#resumed.add(id);
      await this.#resume(take).catch((error: unknown) => {
        this.#options.logger.error({ err: error, take: id }, 'cannot continue a take');
      });
    }
  }

  async #begin(id: string, names: readonly string[] | null): Promise<Take> {
    const { store, settings } = this.#options;
    const { codec, reserveBytes, strategy } = settings();
    if (this.#ending.signal.aborted) throw new MastersError('the appliance is being shut down');
    if (codec === 'off') throw new MastersOffError('masters are switched off in the settings');
    const cameras = this.#select(names);
    this.#refuseRecorded(cameras);
    await requireSpace(await this.#usableRoot(), reserveBytes).catch((error: unknown) => {
      throw asDiskError(error);
    });
    const planned = cameras.map(async ({ camera, raw }) => {
      const choice = await this.#planner.choose({ codec, raw, configured: strategy, atOnce: cameras.length });
      const how = { strategy: choice.strategy, strategyReason: choice.reason };
      return { camera, raw, codec, ...how, threads: masterThreads(), reserveBytes };
    });
    const parts = await Promise.all(planned);
    const take = await store.createTake(id, new Date());
    try {
      await this.#launch(take, parts);
    } catch (error) {
      await this.#discard(take);
      throw asDiskError(error);
    }
    return take;
  }

  /** The pipe of a camera; a fresh one if it is to be recorded from and the kernel holds the recorder that read it. */
  #pipeOf(camera: string, toRecord: boolean): string {
    const { logger, pipeOf, renewPipe } = this.#options;
    if (toRecord && this.#heldPipes.delete(camera)) {
      logger.warn({ camera }, 'a pipe is replaced: the kernel holds the recorder that read it');
      renewPipe?.(camera);
    }
    return pipeOf(camera);
  }

  /** Where the next take goes. If its disk turns out not to answer, there may be another one. */
  async #usableRoot(): Promise<string> {
    const { store, logger } = this.#options;
    for (;;) {
      const { root } = store;
      try {
        await makeTakesFolder(root);
        return root;
      } catch (error) {
        if (!isSilence(error) || store.root === root) throw error;
        logger.error({ err: error, root, instead: store.root }, 'the disk of the masters does not answer');
        this.#noteTrouble((error as Error).message);
      }
    }
  }

  async #end(id: string): Promise<Take> {
    const run = this.#active.get(id);
    // Its disk may be gone, and the take with it: everything that still records has to end anyway.
    const take = run?.take ?? (await this.#options.store.get(id));
    run?.stop();
    const noted = take.manifest.wanted ? this.#noteEnd(take) : Promise.resolve();
    const ended = Promise.all([noted, run?.released]);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.stopPatienceMs ?? defaultStopPatienceMs);
    await Promise.race([ended, late.then(() => this.#abandon(take, run))]);
    clearTimeout(timer);
    return take;
  }

  /** A stop is answered even if the disk is not. */
  #abandon(take: Take, run: TakeRun | undefined): void {
    const reason = `the disk of the masters ${silence}`;
    this.#options.logger.error({ take: take.manifest.id, reason }, 'a take ends without its disk');
    this.#noteTrouble(reason);
    run?.abandon();
  }

  /** A disk that fails does not prevent the end: it is written down with the next change. Never rejects. */
  async #noteEnd(take: Take): Promise<void> {
    const now = new Date().toISOString();
    try {
      await take.update((manifest) => ({ ...manifest, wanted: false, stoppedAt: manifest.stoppedAt ?? now }));
    } catch (error) {
      const { id } = take.manifest;
      this.#options.logger.error({ err: error, take: id }, 'that a take has ended cannot be written down');
    }
  }

  /** A take whose last recorder has ended by itself, as on a full disk, ends with it: no one has to stop it any more. */
  async #noteEndByItself(run: TakeRun): Promise<void> {
    if (run.stopped || this.#ending.signal.aborted) return;
    run.stop();
    if (run.take.manifest.wanted) await this.#noteEnd(run.take);
  }

  /** A take that no camera began is refused to its caller; a folder left of it would only have to be deleted. */
  async #discard({ manifest: { id } }: Take): Promise<void> {
    try {
      await this.#options.store.remove(id);
    } catch (error) {
      this.#options.logger.warn(
        { err: error, take: id },
        'the rest of a take that did not begin cannot be removed',
      );
    }
  }

  /** Seconds that can still be recorded on these cameras before only the reserve is left; null if nothing would grow. */
  async remainingSeconds(names: readonly string[] | null): Promise<number | null> {
    if (this.#options.settings().codec === 'off') return null;
    return await this.#planner.remainingSeconds(this.#select(names), (camera) => this.#growing(camera));
  }

  /**
   * Measures how fast this machine compresses, see RecordPlanner. Call it from time to time: it does nothing while a take runs or
   * is being finished, and ends when one starts.
   */
  async measure(signal: AbortSignal): Promise<void> {
    if (this.#active.size > 0 || this.#inTurn.activeCount + this.#inTurn.pendingCount > 0) return;
    await this.#planner.measure(this.#options.cameras(), signal);
  }

  #growing(camera: string): SegmentProgress | undefined {
    return [...this.#active.values()].find((run) => run.holds(camera))?.progress.get(camera);
  }

  #noteTrouble(reason: string): void {
    this.#trouble = { reason, atMs: performance.now() };
  }

  #select(names: readonly string[] | null): readonly RecordableCamera[] {
    const all = this.#options.cameras();
    const chosen = names === null ? all : all.filter(({ camera }) => names.includes(camera));
    if (chosen.length === 0) {
      throw new MastersError(`there is no camera ${names?.join(', ') ?? ''}`.trim().concat(' to record'));
    }
    return chosen;
  }

  /** Two recorders at one pipe would share its frames. */
  #refuseRecorded(cameras: readonly RecordableCamera[]): void {
    for (const run of this.#active.values()) {
      const held = cameras.find(({ camera }) => run.holds(camera));
      if (held === undefined) continue;
      throw new MastersError(`camera ${held.camera} is recorded by take ${run.take.manifest.id}`);
    }
  }

  /** Continues a take: its running recorders are taken over, and what is missing is done. */
  async #resume(take: Take): Promise<void> {
    const { reserveBytes } = this.#options.settings();
    const parts = Object.entries(take.manifest.cameras).map(([camera, record]) => ({
      camera,
      raw: record.source,
      codec: record.codec,
      strategy: record.strategy,
      strategyReason: record.strategyReason,
      threads: record.threads,
      reserveBytes,
    }));
    this.#options.logger.info({ take: take.manifest.id, wanted: take.manifest.wanted }, 'continuing a take');
    const { mayGoOn = () => true } = this.#options;
    // A take whose program ended before any camera began has nothing to continue; one that ended while its disk was away does
    // not know yet that it has.
    if (parts.length === 0 || !mayGoOn(take.manifest.id)) await this.#noteEnd(take);
    if (parts.length === 0) return;
    await this.#launch(take, parts);
    const run = this.#active.get(take.manifest.id);
    if (run?.stopped === true) await run.released;
  }

  /** Settles once take.json names every camera and recording has begun. */
  async #launch(take: Take, parts: readonly Omit<TakePart, 'pipe' | 'sensorClock'>[]): Promise<void> {
    const { id, wanted } = take.manifest;
    const { host, logger, sensorClockOf, onChange } = this.#options;
    const withPipes = parts.map((part) => ({
      ...part,
      pipe: (toRecord: boolean) => this.#pipeOf(part.camera, toRecord),
      sensorClock: () => sensorClockOf?.(part.camera),
    }));
    const notify = () => onChange?.(id);
    const onDiskTrouble = (reason: string) => this.#noteTrouble(reason);
    const { rates } = this.#options;
    const onHeld = (camera: string) => void this.#heldPipes.add(camera);
    const how = { host, logger, rates, ending: this.#ending.signal, onChange: notify, onDiskTrouble, onHeld };
    const run = new TakeRun(take, withPipes, how);
    if (!wanted) run.stop();
    try {
      await run.prepare();
    } catch (error) {
      await this.#noteEnd(take);
      throw error;
    }
    this.#active.set(id, run);
    void run.released.then(() => this.#noteEndByItself(run));
    const finished = run.run().then(() => {
      this.#active.delete(id);
      if (run.wasSilenced) this.#silenced.add(id, take.folder);
      this.#working.delete(finished);
      notify();
    });
    this.#working.add(finished);
  }
}
