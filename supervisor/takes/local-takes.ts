import type { Logger } from 'pino';
import {
  type MasterCheck,
  type Masters,
  TakeDamagedError,
  type TakeManifest,
  type TakeStore,
  TakeUnfinishedError,
} from '../../media/index.ts';
import type { Take, TakeCamera } from '../contract/index.ts';
import type { LocalTakes } from './take-conductor.ts';
import { takeStateOf } from './take-state.ts';

/** What records on this machine. */
export interface LocalTakesOptions {
  readonly masters: Masters;
  readonly store: TakeStore;
  /** Reads kept masters again. */
  readonly check: Pick<MasterCheck, 'progress' | 'request'>;
  /** Settles once it is known on which disk a take can begin. */
  readonly ready?: () => Promise<void>;
  /** Sources that deliver frames and can be recorded. */
  readonly recordable: () => readonly string[];
  readonly log: Logger;
}

/** The masters of this machine, as the take conductor sees them. */
export class LocalTakesOfMasters implements LocalTakes {
  readonly #options: LocalTakesOptions;
  readonly #listeners = new Set<(takeId: string, cameras: readonly TakeCamera[]) => void>();

  constructor(options: LocalTakesOptions) {
    this.#options = options;
  }

  recordable(): readonly string[] {
    return this.#options.recordable();
  }

  async start({ id }: { id: string }, cameras: readonly string[]): Promise<readonly string[]> {
    await this.#options.ready?.();
    const { manifest } = await this.#options.masters.start(id, cameras);
    return Object.keys(manifest.cameras);
  }

  async stop(takeId: string): Promise<void> {
    const { manifest } = await this.#options.masters.stop(takeId);
    this.#tell(manifest);
  }

  async remove(takeId: string): Promise<void> {
    await this.#options.masters.remove(takeId);
  }

  async list(): Promise<readonly Take[]> {
    const manifests = await this.#options.store.list();
    return manifests.map((manifest) => {
      const cameras = this.#camerasOf(manifest);
      const { id, startedAt, stoppedAt } = manifest;
      return {
        id,
        startedAt: toMilliseconds(startedAt),
        stoppedAt: stoppedAt === null ? null : toMilliseconds(stoppedAt),
        cameras,
        state: takeStateOf(cameras),
      };
    });
  }

  subscribe(listener: (takeId: string, cameras: readonly TakeCamera[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Masters call this when a take changed. */
  noteChange(takeId: string): void {
    this.changed(takeId).catch((error: unknown) => {
      this.#options.log.warn({ err: error, take: takeId }, 'a take cannot be read');
    });
  }

  /** Reads the masters of a take again. Rejects with TAKE_NOT_FOUND, TAKE_UNFINISHED or TAKE_DAMAGED. */
  async checkTake(takeId: string): Promise<void> {
    const { manifest, damage } = await this.#options.store.get(takeId);
    if (damage !== null) throw new TakeDamagedError(`take ${takeId} cannot be checked: ${damage}`);
    if (manifest.state !== 'verified' && manifest.state !== 'failed')
      throw new TakeUnfinishedError(`take ${takeId} is still being recorded or finished`);
    this.#options.check.request(takeId);
  }

  /** A finished segment of a master of this machine. Rejects with TAKE_NOT_FOUND. */
  masterPath(id: string, camera: string, segment: number): Promise<{ path: string; fileName: string }> {
    return this.#options.store.masterPath(id, camera, segment);
  }

  async changed(takeId: string): Promise<void> {
    const take = await this.#options.store.get(takeId);
    this.#tell(take.manifest);
  }

  #tell(manifest: TakeManifest): void {
    const cameras = this.#camerasOf(manifest);
    for (const listener of this.#listeners) listener(manifest.id, cameras);
  }

  #camerasOf(manifest: TakeManifest): TakeCamera[] {
    const { masters, check } = this.#options;
    const growing = masters.progress(manifest.id);
    const finishing = masters.finishing(manifest.id);
    const isOver = !manifest.wanted || masters.isStopped(manifest.id);
    const waits = masters.silence(manifest.id);
    const reading = check.progress?.take === manifest.id ? check.progress : null;
    return Object.entries(manifest.cameras).map(([camera, record]) => {
      const progress = growing.get(camera);
      // No one waits for frames of a take that has ended.
      const ends = isOver && (record.state === 'starting' || record.state === 'recording');
      const finished = record.state === 'finishing' ? finishing.get(camera) : undefined;
      return {
        camera,
        device: null,
        state: ends ? 'finishing' : record.state,
        reason: ends ? waits : (record.reason ?? waits),
        frames: record.frames + (progress?.frames ?? 0),
        droppedFrames: record.droppedFrames + (progress?.droppedFrames ?? 0),
        sizeBytes: Math.min(
          Number.MAX_SAFE_INTEGER,
          record.segments.reduce((sum, { bytes }) => sum + bytes, 0) + (progress?.bytes ?? 0),
        ),
        segments: record.segments.length,
        verified: record.state === 'verified',
        ...(finished === undefined ? {} : { finishing: { ...finished } }),
        ...(reading?.camera === camera ? { checking: { done: reading.done, of: reading.of } } : {}),
      };
    });
  }
}

/** take.json has microseconds; the API has milliseconds. */
function toMilliseconds(instant: string): string {
  return new Date(instant).toISOString();
}
