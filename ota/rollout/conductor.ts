import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import { pause } from '../../common/pause.ts';
import { type Release, releaseSchema } from '../channel/manifest.ts';
import { messageOf, OtaError } from '../errors.ts';
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

/** What the hub can see and do of its cameras and itself; the appliance wires it to the cameras' links. */
export interface Fleet {
  members(): readonly Member[];
  takeRunning(): boolean;
  /**
   * Tells a member to install the bundle. Rejects with an error whose `code` is `MEMBER_UNREACHABLE` where it could not
   * be told, `TAKE_RUNNING`, `TRIAL_RUNNING` or `UPDATE_BUSY` where it does not want to now, and any other where it refuses.
   */
  install(memberId: string, bundle: CachedBundle, signal: AbortSignal): Promise<void>;
}

export interface ConductorStatus {
  readonly rollout: Rollout | null;
  readonly release: Release | null;
  readonly cachingPercent: number | null;
  /** False until it is known what an earlier run left. */
  readonly loaded: boolean;
}

export interface ConductorTiming extends RolloutTiming {
  /** Between two looks at the members. */
  readonly intervalMs: number;
  /** Until the bundle is asked for again that could not be had. */
  readonly retryMs: number;
}

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
   * Begins a rollout over the members; the bundle is fetched and verified before any of them is touched.
   * @throws {OtaError} `ROLLOUT_RUNNING` while another one is not finished, `NOTHING_TO_INSTALL` where nobody needs it
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
   * Updates one member: within the rollout of that version that is under way, else in one of its own.
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

  /** Goes on after a pause or a halt; what failed is tried again. */
  async resume(): Promise<void> {
    await this.#change(resumeRollout);
    this.#poked.resolve();
  }

  /** Ends the rollout; returns the member that was under way, which may still be told to give up. */
  async cancel(): Promise<string | null> {
    const members = Object.entries(this.#rollout?.members ?? {});
    const underWay = members.find(([, { state }]) => state === 'updating')?.[0] ?? null;
    await this.#change(cancelRollout);
    return underWay;
  }

  /** @throws {OtaError} `CANARY_REFUSED` where it is too late, or that member does not wait */
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

  /** A camera that belongs to this hub no more is waited for no longer. */
  drop(id: string): Promise<void> {
    return this.#change((rollout) =>
      isOpen(rollout.members[id])
        ? withMember(rollout, id, { state: 'skipped', reason: 'it belongs to this hub no more' })
        : rollout,
    );
  }

  /** Whether another rollout may begin by itself: none is open, or one that waits for nobody but cameras that are long away. */
  get isFree(): boolean {
    const rollout = this.#rollout;
    if (!this.#isLoaded) return false;
    return rollout === null || !isUnfinished(rollout) || isLeftToAbsent(rollout, this.#facts(), this.#timing);
  }

  /** Something changed that may let the rollout go on. A server that failed is not asked again for it. */
  poke(): void {
    if (!this.#isHeld) this.#poked.resolve();
  }

  /** Works until the signal ends it. Rollouts begun before a restart go on. */
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
    // Who is under way reads it from here, also while no other is to begin.
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
      this.#options.logger.warn({ err: error, member: id }, 'a machine could not be told to update');
      await this.#change((rollout) => refused(rollout, id, error));
    }
  }

  /** The bundle or its server is at fault, or the disk: only a bad bundle ends it, the rest is tried again. */
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

  /** What is next is written down before the member is told: after a restart it is watched rather than forgotten. */
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

/** Whether something of it may still be done. */
function isUnfinished({ phase }: Rollout): boolean {
  return phase === 'running' || phase === 'paused' || phase === 'halted';
}

function isBadBundle(error: unknown): boolean {
  return error instanceof OtaError && error.code.startsWith('BUNDLE_') && error.code !== 'BUNDLE_TRUNCATED';
}

/** A machine that could not be told may have got it all the same; one that does not want to now is asked again. */
function refused(rollout: Rollout, id: string, error: unknown): Rollout {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'MEMBER_UNREACHABLE') return rollout;
  if (notNow.includes(code)) return postponeMember(rollout, id, messageOf(error));
  return failMember(rollout, id, messageOf(error));
}

/** Time counts per process: what was under way before a restart gets its whole deadline again. */
function withTimersFrom(rollout: Rollout, nowMs: number): Rollout {
  const members = mapMembers(rollout, (member) =>
    member.state === 'updating' ? { ...member, startedMs: nowMs, toldMs: nowMs } : member,
  );
  return { ...rollout, members };
}
