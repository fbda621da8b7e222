import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import { messageOf } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import { type Release, releaseSchema } from '../channel/manifest.ts';
import { OtaError } from '../errors.ts';
import { readKept, replaceFile } from '../store.ts';
import type { BundleCache, CachedBundle } from './bundle-cache.ts';
import {
  cancelRollout,
  chooseCanary,
  failMember,
  includeMember,
  isOpen,
  type Member,
  mapMembers,
  pauseRollout,
  planRollout,
  postponeMember,
  type Rollout,
  type RolloutRequest,
  resumeRollout,
  rolloutSchema,
  withMember,
} from './rollout.ts';
import {
  defaultRolloutTiming,
  isLeftToAbsent,
  type RolloutFacts,
  type RolloutStep,
  type RolloutTiming,
  stepRollout,
} from './step-rollout.ts';

const savedSchema = z.object({ schema: z.int().min(1), rollout: rolloutSchema, release: releaseSchema });

/** What the hub can see and do with its cameras and itself; the appliance wires it to the cameras' links. */
export interface Fleet {
  members(): readonly Member[];
  takeRunning(): boolean;
  /**
   * Orders a member to install the bundle. Rejects with an error whose `code` is `MEMBER_UNREACHABLE` if the order could not be
   * sent, `TAKE_RUNNING`, `TRIAL_RUNNING` or `UPDATE_BUSY` if it cannot now, and any other if it refuses.
   */
  install(memberId: string, bundle: CachedBundle, signal: AbortSignal): Promise<void>;
}

/** What the hub shows of a rollout. */
export interface ConductorStatus {
  readonly rollout: Rollout | null;
  readonly release: Release | null;
  readonly cachingPercent: number | null;
  /** False until it is known what an earlier run left. */
  readonly loaded: boolean;
}

/** Times of a rollout, in milliseconds. */
export interface ConductorTiming extends RolloutTiming {
  /** Between two checks of the members. */
  readonly intervalMs: number;
  /** Until a bundle that could not be fetched is requested again. */
  readonly retryMs: number;
}

/** What a conductor needs. */
export interface ConductorOptions {
  readonly fleet: Fleet;
  readonly cache: BundleCache;
  readonly folder: string;
  readonly logger: Logger;
  readonly now: () => Date;
  readonly timing?: Partial<ConductorTiming>;
}

const notNow: readonly unknown[] = ['TAKE_RUNNING', 'TRIAL_RUNNING', 'UPDATE_BUSY'];

/** Updates a hub's cameras and then the hub, one at a time, from one verified copy of the bundle. Survives restarts. */
export class RolloutConductor {
  readonly #options: ConductorOptions;
  readonly #path: string;
  readonly #timing: ConductorTiming;
  readonly #listeners = new Set<() => void>();
  readonly #inTurn = pLimit(1);
  readonly #sinceMs = performance.now();
  #rollout: Rollout | null = null;
  #release: Release | null = null;
  #cachingPercent: number | null = null;
  #isHeld = false;
  #isLoaded = false;
  #poked = Promise.withResolvers<void>();

  constructor(options: ConductorOptions) {
    this.#options = options;
    this.#path = join(options.folder, 'rollout.json');
    this.#timing = { ...defaultRolloutTiming, intervalMs: 2_000, retryMs: 30_000, ...options.timing };
  }

  status(): ConductorStatus {
    const [rollout, release, loaded] = [this.#rollout, this.#release, this.#isLoaded];
    return { rollout, release, cachingPercent: this.#cachingPercent, loaded };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Begins a rollout over the members; the bundle is fetched and verified before any of them is updated.
   * @throws {OtaError} `ROLLOUT_RUNNING` while another one is not finished, `NOTHING_TO_INSTALL` if no member needs it
   */
  start(
    release: Release,
    members: readonly Member[],
    request: Omit<RolloutRequest, 'startedAt'>,
  ): Promise<void> {
    return this.#inTurn(async () => {
      this.#refuseUnfinished(release.version, null);
      const startedAt = this.#options.now().toISOString();
      const rollout = planRollout(release, members, { ...request, startedAt });
      if (rollout.phase === 'done') {
        const reasons = Object.values(rollout.members).map(
          ({ name, reason }) => `${name}: ${reason ?? `has ${release.version}`}`,
        );
        const why = reasons.length === 0 ? 'there is no camera' : reasons.join('; ');
        throw new OtaError('NOTHING_TO_INSTALL', why);
      }
      this.#options.logger.info({ version: release.version, order: rollout.order }, 'a rollout begins');
      await this.#set(rollout, release);
      this.#poked.resolve();
    });
  }

  /**
   * Updates one member: within a running rollout of that version, or in a rollout of its own.
   * @throws {OtaError} `ROLLOUT_RUNNING` while one of another version is not finished, `NOTHING_TO_INSTALL`
   */
  async include(release: Release, member: Member): Promise<void> {
    const taken = await this.#inTurn(async () => {
      if (this.#rollout === null || !isUnfinished(this.#rollout)) return false;
      this.#refuseUnfinished(release.version, release.version);
      await this.#set(includeMember(this.#rollout, release, member));
      this.#poked.resolve();
      return true;
    });
    if (!taken) await this.start(release, [member], { canary: member.id, hub: null });
  }

  pause(): Promise<void> {
    return this.#change(pauseRollout);
  }

  /** Continues after a pause or a halt; failed members are tried again. */
  async resume(): Promise<void> {
    await this.#change(resumeRollout);
    this.#poked.resolve();
  }

  /** Ends the rollout. Returns the member that is being updated, which may still be cancelled. */
  async cancel(): Promise<string | null> {
    const members = Object.entries(this.#rollout?.members ?? {});
    const underWay = members.find(([, { state }]) => state === 'updating')?.[0] ?? null;
    await this.#change(cancelRollout);
    return underWay;
  }

  /** @throws {OtaError} `CANARY_REFUSED` if it is too late, or that member does not wait */
  chooseCanary(id: string): Promise<void> {
    return this.#change((rollout) => {
      const changed = isUnfinished(rollout) ? chooseCanary(rollout, id) : null;
      if (changed !== null) return changed;
      throw new OtaError(
        'CANARY_REFUSED',
        'a canary is chosen among waiting cameras, before the first update',
      );
    });
  }

  /** The rollout no longer waits for a camera that left this hub. Never rejects: there is no caller to learn of a full disk. */
  async drop(id: string): Promise<void> {
    try {
      await this.#change((rollout) =>
        isOpen(rollout.members[id])
          ? withMember(rollout, id, { state: 'skipped', reason: 'it no longer belongs to this hub' })
          : rollout,
      );
    } catch (error) {
      this.#options.logger.error(
        { err: error, member: id },
        'a camera could not be taken out of the rollout',
      );
    }
  }

  /** Whether another rollout may begin by itself: none is open, or one that waits only for cameras that are long away. */
  get isFree(): boolean {
    const rollout = this.#rollout;
    if (!this.#isLoaded) return false;
    return rollout === null || !isUnfinished(rollout) || isLeftToAbsent(rollout, this.#facts(), this.#timing);
  }

  /** Something changed that may let the rollout continue. A server that failed is not asked again because of it. */
  poke(): void {
    if (!this.#isHeld) this.#poked.resolve();
  }

  /** Works until the signal ends it. Rollouts begun before a restart continue. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#inTurn(() => this.#load());
    this.#isLoaded = true;
    const { intervalMs, retryMs } = this.#timing;
    while (!signal.aborted) {
      this.#poked = Promise.withResolvers();
      this.#isHeld = await this.#step(signal).then(
        () => false,
        (error: unknown) => this.#noteHeld(error, signal),
      );
      await this.#pause(this.#isHeld ? retryMs : intervalMs, signal);
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    const release = this.#release;
    if (release === null || this.#rollout === null || !isUnfinished(this.#rollout)) return;
    // The member being updated reads it from here, even while no other may begin.
    const isUnderWay = Object.values(this.#rollout.members).some(({ state }) => state === 'updating');
    const isWanted = this.#rollout.phase === 'running' || isUnderWay;
    const bundle = isWanted ? await this.#bundle(release, signal) : null;
    const step = await this.#inTurn(() => this.#advance());
    if (bundle === null || step === null || step.install === null) return;
    const id = step.install;
    this.#options.logger.info({ member: id, version: release.version }, 'telling a machine to update');
    try {
      await this.#options.fleet.install(id, bundle, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#options.logger.warn({ err: error, member: id }, 'a machine could not be reached for its update');
      await this.#change((rollout) => refused(rollout, id, error));
    }
  }

  /** The bundle or its server is at fault, or the disk: only a bad bundle ends the rollout, the rest is tried again. */
  async #noteHeld(error: unknown, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    this.#options.logger.warn({ err: error }, 'the rollout is held up');
    const phase = isBadBundle(error) ? 'halted' : null;
    const reason = messageOf(error);
    try {
      await this.#change((rollout) => ({ ...rollout, phase: phase ?? rollout.phase, reason }));
    } catch (cause) {
      this.#options.logger.error({ err: cause }, 'the state of the rollout could not be written');
    }
    return true;
  }

  async #bundle(release: Release, signal: AbortSignal): Promise<CachedBundle> {
    try {
      return await this.#options.cache.ensure(release, signal, (percent) => {
        const rounded = Math.floor(percent);
        if (rounded === this.#cachingPercent) return;
        this.#cachingPercent = rounded;
        this.#tell();
      });
    } finally {
      if (this.#cachingPercent !== null) {
        this.#cachingPercent = null;
        this.#tell();
      }
    }
  }

  /** The next step is saved before the order is sent: after a restart the member is watched instead of forgotten. */
  async #advance(): Promise<RolloutStep | null> {
    if (this.#rollout === null) return null;
    const step = stepRollout(this.#rollout, this.#facts(), this.#timing);
    await this.#set(step.rollout);
    return step;
  }

  #facts(): RolloutFacts {
    const { fleet } = this.#options;
    const nowMs = performance.now();
    const watchedMs = nowMs - this.#sinceMs;
    return { nowMs, watchedMs, members: fleet.members(), take: fleet.takeRunning() };
  }

  #refuseUnfinished(version: string, allowed: string | null): void {
    const rollout = this.#rollout;
    if (rollout === null || !isUnfinished(rollout) || rollout.version === allowed) return;
    throw new OtaError('ROLLOUT_RUNNING', `the rollout of ${rollout.version} is not finished`, {
      hint: `cancel it to begin the one of ${version}`,
    });
  }

  #change(change: (rollout: Rollout) => Rollout): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#rollout !== null) await this.#set(change(this.#rollout));
    });
  }

  async #load(): Promise<void> {
    const parse = (text: string) => savedSchema.parse(JSON.parse(text));
    const saved = await readKept(this.#path, parse, this.#options.logger);
    if (saved === null) return;
    this.#rollout = withTimersFrom(saved.rollout, performance.now());
    this.#release = saved.release;
    this.#tell();
  }

  async #set(rollout: Rollout, release = this.#release): Promise<void> {
    if (release === this.#release && JSON.stringify(rollout) === JSON.stringify(this.#rollout)) return;
    await replaceFile(this.#path, `${JSON.stringify({ schema: 1, rollout, release }, null, 1)}\n`);
    this.#rollout = rollout;
    this.#release = release;
    this.#tell();
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const tick = pause(ms, either);
    await Promise.race([tick, this.#poked.promise]);
    over.abort();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Whether some of it can still be done. */
function isUnfinished({ phase }: Rollout): boolean {
  return phase === 'running' || phase === 'paused' || phase === 'halted';
}

function isBadBundle(error: unknown): boolean {
  return error instanceof OtaError && error.code.startsWith('BUNDLE_') && error.code !== 'BUNDLE_TRUNCATED';
}

/** A machine that did not answer may have got the order anyway; one that cannot now is asked again. */
function refused(rollout: Rollout, id: string, error: unknown): Rollout {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'MEMBER_UNREACHABLE') return rollout;
  if (notNow.includes(code)) return postponeMember(rollout, id, messageOf(error));
  return failMember(rollout, id, messageOf(error));
}

/** Time counts per process: after a restart a running update gets its whole deadline again. */
function withTimersFrom(rollout: Rollout, nowMs: number): Rollout {
  const members = mapMembers(rollout, (member) =>
    member.state === 'updating' ? { ...member, startedMs: nowMs, toldMs: nowMs } : member,
  );
  return { ...rollout, members };
}
