import type { Logger } from 'pino';
import type { ChildHost } from '../../../common/child-host.ts';
import type { SensorClock } from '../../capture/sensor-clock.ts';
import type { RawStream } from '../../capture/types.ts';
import { diskReason, isSilence } from '../disk/disk-trouble.ts';
import type { RecordRates } from '../recorder/record-rates.ts';
import { Recorder, type RecorderOptions } from '../recorder/recorder.ts';
import type { MasterCodec, MasterStrategy } from '../recorder/recorder-command.ts';
import type { SegmentProgress } from '../segment/segment-watch.ts';
import type { FinishProgress } from './finish-progress.ts';
import type { Take } from './take.ts';

/** One camera of a take, and how it is recorded. */
export interface TakePart {
  readonly camera: string;
  readonly pipe: RecorderOptions['pipe'];
  readonly raw: RawStream;
  readonly sensorClock: () => SensorClock | undefined;
  readonly codec: MasterCodec;
  readonly strategy: MasterStrategy;
  readonly strategyReason: string;
  readonly threads: number;
  readonly reserveBytes: number;
}

/** What a running take needs. */
export interface TakeRunOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly rates: Pick<RecordRates, 'learn'>;
  /** Aborts when the program ends: compressing and verifying are left for its next start. */
  readonly ending: AbortSignal;
  readonly onChange: () => void;
  /** The pipe of a camera keeps a reader that never reads. */
  readonly onHeld: (camera: string) => void;
  /** The disk fails: what is wrong, and what to do. */
  readonly onDiskTrouble: (reason: string) => void;
}

/** A take in progress: all its recorders, from the first frame to the last proof. */
export class TakeRun {
  readonly take: Take;
  /** What grows at the moment, by camera. */
  readonly progress = new Map<string, SegmentProgress>();
  /** How far compressing and verifying are, by camera. */
  readonly finishing = new Map<string, FinishProgress>();
  readonly #options: TakeRunOptions;
  readonly #recorders: readonly (readonly [camera: string, recorder: Recorder])[];
  readonly #stopping = new AbortController();
  readonly #allReleased = Promise.withResolvers<void>();
  /** Cameras whose recorder runs, or should run. */
  readonly #held: Set<string>;
  #silenced = false;

  constructor(take: Take, parts: readonly TakePart[], options: TakeRunOptions) {
    this.take = take;
    this.#options = options;
    this.#held = new Set(parts.map(({ camera }) => camera));
    this.#recorders = parts.map((part) => [part.camera, this.#recorder(part)]);
  }

  /** Whether something was not done because the disk did not answer: what reached it can still be finished. */
  get wasSilenced(): boolean {
    return this.#silenced;
  }

  /**
   * Waits for recorders no longer, because the disk does not answer: their processes were ended, as far as the kernel lets them.
   * Their cameras are free for the next take, and what they wrote is finished when the disk answers.
   */
  abandon(): void {
    this.#silenced = true;
    for (const camera of [...this.#held]) this.#release(camera);
  }

  /** Settles once no recorder runs any more; closing, compressing and verifying continue. */
  get released(): Promise<void> {
    return this.#allReleased.promise;
  }

  /** Whether a recorder of this take reads the camera's frames, or should. */
  holds(camera: string): boolean {
    return this.#held.has(camera);
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /**
   * Enters every camera into take.json. If one is refused, none begins.
   * @throws DiskReserveError
   */
  async prepare(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#recorders.map(([, recorder]) => recorder.prepare()));
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused === undefined) return;
    for (const [camera] of this.#recorders) await this.#failed(camera, refused.reason);
    throw refused.reason;
  }

  /** Records until stopped, then finishes. Never rejects: take.json states every failure. */
  async run(): Promise<void> {
    await Promise.all(this.#recorders.map(([camera, recorder]) => this.#follow(camera, recorder)));
  }

  stop(): void {
    this.#stopping.abort();
  }

  #recorder(part: TakePart): Recorder {
    const { host, logger, onChange, onDiskTrouble, onHeld } = this.#options;
    return new Recorder(this.take, {
      ...part,
      host,
      logger,
      onDiskTrouble,
      onHeld: () => onHeld(part.camera),
      onFinishing: (now) => {
        this.finishing.set(part.camera, now);
        onChange();
      },
      onProgress: (now) => {
        this.progress.set(part.camera, now);
        onChange();
      },
      onReleased: () => this.#release(part.camera),
      onRecorded: () => {
        this.#learn(part.camera);
        onChange();
      },
    });
  }

  async #follow(camera: string, recorder: Recorder): Promise<void> {
    try {
      await recorder.run(this.#stopping.signal, this.#options.ending);
    } catch (error) {
      // The recorder is gone, whether that can be written down or not.
      this.#release(camera);
      if (isSilence(error)) this.#leave(camera, error);
      // Work that is left because the program ends is done at its next start.
      else if (!this.#options.ending.aborted) await this.#failed(camera, error);
    }
    this.#release(camera);
    this.#learn(camera);
    this.#options.onChange();
  }

  /** What was kept says how long the disk will last for the next take. */
  #learn(camera: string): void {
    const record = this.take.manifest.cameras[camera];
    if (record !== undefined) void this.#options.rates.learn(camera, record);
  }

  #release(camera: string): void {
    if (!this.#held.delete(camera)) return;
    if (this.#held.size === 0) this.#allReleased.resolve();
    this.#options.onChange();
  }

  /** Nothing has failed yet: take.json goes on saying what is to be done when the disk answers. */
  #leave(camera: string, error: unknown): void {
    const { logger, onDiskTrouble } = this.#options;
    this.#silenced = true;
    logger.error({ err: error, take: this.take.manifest.id, camera }, 'a take waits for its disk');
    onDiskTrouble(diskReason(error) ?? (error as Error).message);
  }

  async #failed(camera: string, error: unknown): Promise<void> {
    const { logger } = this.#options;
    const { id, cameras } = this.take.manifest;
    logger.error({ err: error, take: id, camera }, 'recording failed');
    if (cameras[camera] === undefined) return;
    const reason = reasonOf(error, this.take.folder);
    try {
      await this.take.updateCamera(camera, (record) => ({ ...record, state: 'failed', reason }));
    } catch (cause) {
      // The disk itself may have failed: then the answer to a request says so, even if the folder cannot.
      logger.error({ err: cause, take: id }, 'take.json cannot be written');
    }
  }
}

/** For people. A system error about a file of the take, or about an open one, is about its disk. */
function reasonOf(error: unknown, folder: string): string {
  if (!(error instanceof Error)) return `${error}`;
  const { path = folder } = error as NodeJS.ErrnoException;
  return path.startsWith(folder) ? (diskReason(error) ?? error.message) : error.message;
}
