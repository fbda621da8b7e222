import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type Release, releaseSchema } from '../channel/manifest.ts';
import { messageOf, OtaError } from '../errors.ts';
import { Serial } from '../serial.ts';
import { readFileOrNull, replaceFile } from '../store.ts';
import type { BundleCache } from './bundle-cache.ts';
import {
  type CameraView,
  pauseRollout,
  planRollout,
  type Rollout,
  type RolloutStep,
  refuseRollout,
  resumeRollout,
  rolloutSchema,
  stepRollout,
} from './rollout.ts';

const savedSchema = z.object({ rollout: rolloutSchema, release: releaseSchema.nullable() });

/** What the hub can see and do of its cameras; the appliance wires it to the cameras' links. */
export interface CameraFleet {
  cameras(): readonly CameraView[];
  takeRunning(): boolean;
  /** Tells a camera to install from the hub; rejects where it refuses or cannot be told. */
  install(cameraId: string, release: { url: string; version: string; sha256: string }): Promise<void>;
}

export interface ConductorStatus {
  readonly rollout: Rollout | null;
  readonly cachingPercent: number | null;
}

/** Updates a hub's cameras, one at a time, from one verified copy of the bundle. Survives a restart of the hub. */
export class Conductor {
  readonly #fleet: CameraFleet;
  readonly #cache: BundleCache;
  readonly #path: string;
  readonly #bundleUrl: (sha256: string) => string;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #cameraDeadlineMs: number;
  readonly #listeners = new Set<() => void>();
  readonly #serial = new Serial();
  #rollout: Rollout | null = null;
  #release: Release | null = null;
  #cachingPercent: number | null = null;

  constructor(options: {
    fleet: CameraFleet;
    cache: BundleCache;
    folder: string;
    /** Where a camera finds the cached bundle on this hub. */
    bundleUrl: (sha256: string) => string;
    logger: Logger;
    intervalMs?: number;
    cameraDeadlineMs?: number;
  }) {
    this.#fleet = options.fleet;
    this.#cache = options.cache;
    this.#path = join(options.folder, 'rollout.json');
    this.#bundleUrl = options.bundleUrl;
    this.#logger = options.logger;
    this.#intervalMs = options.intervalMs ?? 2_000;
    this.#cameraDeadlineMs = options.cameraDeadlineMs ?? 45 * 60_000;
  }

  status(): ConductorStatus {
    return { rollout: this.#rollout, cachingPercent: this.#cachingPercent };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Begins a rollout; the bundle is fetched and verified before any camera is touched.
   * @throws {OtaError} `UPDATE_BUSY` while another one runs
   */
  start(release: Release, canary: string | null = null): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#rollout?.phase === 'running') {
        throw new OtaError('UPDATE_BUSY', `the rollout of ${this.#rollout.version} is not finished`);
      }
      await this.#set(planRollout(release.version, this.#fleet.cameras(), canary), release);
    });
  }

  pause(): Promise<void> {
    return this.#change((rollout) => pauseRollout(rollout));
  }

  resume(): Promise<void> {
    return this.#change((rollout) => resumeRollout(rollout));
  }

  /** Works until the signal ends it. Rollouts begun before a restart go on. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#serial.run(() => this.#load());
    while (!signal.aborted) {
      try {
        await this.#step(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#logger.warn({ err: error }, 'the rollout is held up');
        await this.#change((rollout) => ({ ...rollout, reason: messageOf(error) })).catch(() => undefined); // Said already.
      }
      await sleep(this.#intervalMs, undefined, { signal }).catch(() => undefined); // Ends the loop by the signal.
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.#rollout?.phase !== 'running' || this.#release === null) return;
    const bundle = await this.#cache.ensure(this.#release, signal, (percent) => {
      this.#cachingPercent = percent < 100 ? percent : null;
      this.#tell();
    });
    this.#cachingPercent = null;
    const step = await this.#serial.run(() => this.#advance());
    if (step === null || step.install === null) return;
    this.#logger.info({ camera: step.install, version: step.rollout.version }, 'updating a camera');
    try {
      const { version, sha256 } = bundle;
      await this.#fleet.install(step.install, { url: this.#bundleUrl(sha256), version, sha256 });
    } catch (error) {
      const camera = step.install;
      this.#logger.warn({ err: error, camera }, 'a camera refused its update');
      await this.#change((rollout) => refuseRollout(rollout, camera, messageOf(error)));
    }
  }

  /** What is next is written down before the camera is told: after a restart it is watched rather than told twice. */
  async #advance(): Promise<RolloutStep | null> {
    if (this.#rollout === null) return null;
    const step = stepRollout(this.#rollout, {
      nowMs: this.#nowMs(),
      cameras: this.#fleet.cameras(),
      take: this.#fleet.takeRunning(),
      cameraDeadlineMs: this.#cameraDeadlineMs,
    });
    await this.#set(step.rollout);
    return step;
  }

  #change(change: (rollout: Rollout) => Rollout): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#rollout !== null) await this.#set(change(this.#rollout));
    });
  }

  async #load(): Promise<void> {
    const text = await readFileOrNull(this.#path);
    if (text === null) return;
    try {
      const saved = savedSchema.parse(JSON.parse(text));
      this.#rollout = withTimersFrom(saved.rollout, this.#nowMs());
      this.#release = saved.release;
    } catch (error) {
      this.#logger.warn({ err: error }, 'the rollout under way could not be read; it has to be begun again');
    }
  }

  async #set(rollout: Rollout, release = this.#release): Promise<void> {
    if (release === this.#release && JSON.stringify(rollout) === JSON.stringify(this.#rollout)) return;
    await replaceFile(this.#path, `${JSON.stringify({ rollout, release }, null, 1)}\n`);
    this.#rollout = rollout;
    this.#release = release;
    this.#tell();
  }

  /** Runs evenly while this process lives, whatever happens to the clock. */
  #nowMs(): number {
    return performance.now();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Time counts per process: what was under way before a restart gets its whole deadline again. */
function withTimersFrom(rollout: Rollout, nowMs: number): Rollout {
  const cameras = Object.fromEntries(
    Object.entries(rollout.cameras).map(([id, camera]) => [
      id,
      camera.state === 'updating' ? { ...camera, startedMs: nowMs } : camera,
    ]),
  );
  return { ...rollout, cameras };
}
