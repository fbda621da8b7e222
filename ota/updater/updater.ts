import { setTimeout as sleep } from 'node:timers/promises';
import { pause, untilAborted } from '../../common/pause.ts';
import { BlackBox } from '../black-box.ts';
import type { UpdateDecision, UpdateFacts } from '../channel/decide-update.ts';
import { messageOf, OtaError, type OtaErrorCode } from '../errors.ts';
import { defaultGateTiming } from '../health/health-gate.ts';
import { Rauc } from '../install/rauc.ts';
import { otherSlot } from '../selector/slot.ts';
import { failedVersionOf, RESTART_STAGE } from './aftermath.ts';
import { Choice } from './choice.ts';
import { type InstallPlan, install, planOf, planOfUrl } from './installation.ts';
import { Offers } from './offers.ts';
import { confirmBoot, settleAttempt } from './settle.ts';
import { isOnTrial, type Slots } from './slots.ts';
import { SystemSlots } from './system-slots.ts';
import { runTrial, takeBaseline } from './trial.ts';
import {
  devicePaths,
  type InstallRequest,
  type UpdaterOptions,
  type UpdateTiming,
  type UpdateView,
} from './types.ts';
import { composeView } from './view.ts';
import { Work } from './work.ts';

const defaultTiming: UpdateTiming = {
  gate: defaultGateTiming,
  tickMs: 60_000,
  firstCheckMs: 90_000,
  stallMs: 180_000,
  preflightMs: 30_000,
  retryMs: 3_600_000,
};

/** Codes that mean: the bundle or its server is at fault, not the way here. */
const isRefusal = (code: OtaErrorCode) => code.startsWith('BUNDLE_') || code === 'DOWNLOAD_NO_RANGE';

interface Change {
  readonly state?: UpdateView['state'];
  readonly reason?: string | null;
  readonly progress?: number | null;
}

/**
 * Updates of this machine: watches what is offered, installs into the other slot, restarts into a trial, commits or
 * goes back by the health gate, and tells what happened from the slot that really runs. Without the image's slots it
 * says so and does nothing.
 */
export class Updater {
  readonly #options: UpdaterOptions;
  readonly #timing: UpdateTiming;
  readonly #rauc: Rauc;
  readonly #box: BlackBox;
  readonly #choice: Choice;
  readonly #slots: SystemSlots;
  readonly #listeners = new Set<() => void>();
  readonly #work = new Work();
  readonly #giveUp = new AbortController();
  #state: UpdateView['state'] = 'unsupported';
  #reason: string | null = null;
  #progress: number | null = null;
  #lifetime: AbortSignal = AbortSignal.abort();
  /** Until then (performance.now()) nothing that broke off is tried again by itself. */
  #retryAtMs = Number.POSITIVE_INFINITY;

  constructor(options: UpdaterOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#rauc = new Rauc(options.children);
    this.#box = new BlackBox(options.folder, options.logger, options.now);
    const { fetch, folder, logger } = options;
    const offers = new Offers({ fetch, rauc: this.#rauc, paths: this.#paths, folder, logger });
    this.#choice = new Choice(offers, options.settings);
    this.#slots = new SystemSlots(this.#paths, this.#rauc, logger);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): UpdateView {
    return composeView({
      installedVersion: this.#options.installedVersion,
      latest: this.#choice.latest,
      state: this.#state,
      reason: this.#reason,
      unsupported: this.#slots.unsupported,
      progressPercent: this.#progress,
      slots: this.#slots.current,
      versions: this.#slots.versions,
      attempts: this.#box.attempts,
    });
  }

  /**
   * Works until the signal ends it: closes what an earlier boot left open, judges a trial, then watches the offers. What fails
   * of that is tried again: live pictures and takes do not depend on updates.
   */
  async run(signal: AbortSignal): Promise<void> {
    this.#lifetime = signal;
    while (!signal.aborted) {
      try {
        await this.#serve(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.logger.error({ err: error }, 'updates do not work; they are tried again');
        this.#set({ reason: messageOf(error) });
        await pause(this.#timing.tickMs, signal);
      }
    }
    await this.#work.done;
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const slots = await this.#slots.read();
    if (slots === null) {
      this.#options.logger.info({ reason: this.#slots.unsupported }, 'no updates on this machine');
      return await untilAborted(signal);
    }
    await this.#box.load();
    if (isOnTrial(slots)) await this.#judge(signal);
    else await this.#settle(slots, signal);
    await this.#watch(signal);
  }

  /**
   * Begins an installation and returns once it is under way.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `TAKE_RUNNING`, `TRIAL_RUNNING`, `UPDATE_BUSY`, `NOTHING_TO_INSTALL`,
   *   `BUNDLE_NOT_FOUND` for an address that is none
   */
  async install(request: InstallRequest): Promise<UpdateView> {
    this.#checkFree(request.force);
    const allowDowngrade = request.allowDowngrade || this.#settings.allowDowngrade;
    const plan =
      request.url === undefined
        ? await this.#planLatest(request, allowDowngrade)
        : planOfUrl(request.url, allowDowngrade, this.#paths.offline);
    const slots = this.#checkFree(request.force);
    this.#begin(plan, slots, request.force);
    return this.status();
  }

  /**
   * Begins the installation of one bundle that somebody chose, such as the hub: a path or an http address.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `TAKE_RUNNING`, `TRIAL_RUNNING`, `UPDATE_BUSY`
   */
  installBundle(bundle: Omit<InstallPlan, 'allowDowngrade'>): UpdateView {
    const slots = this.#checkFree(false);
    this.#begin({ ...bundle, allowDowngrade: false }, slots, false);
    return this.status();
  }

  /** The newest release on offer for a machine of that board and version, or the one named; null where there is none. */
  newestFor(machine: Pick<UpdateFacts, 'compatible' | 'installedVersion'>, version: string | null = null) {
    return this.#choice.newestFor(machine, version);
  }

  /** What to do about a machine of that board and version where it may be updated whenever the owner's window is open. */
  decideFor(machine: Pick<UpdateFacts, 'compatible' | 'installedVersion' | 'failedVersion'>): UpdateDecision {
    return this.#choice.decideFor(machine, this.#facts());
  }

  /**
   * Looks at the channel and for media now, as the owner asked, and acts on what it finds as if it had looked by itself.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `NO_CHANNEL` where there is nothing to look at, `CHANNEL_*`
   */
  async check(): Promise<UpdateView> {
    this.#slots.need();
    await this.#choice.lookEverywhere(this.#lifetime);
    this.#consider();
    return this.status();
  }

  /** Looks at the channel now; where it cannot be read, the status says why. */
  refreshOffers(): Promise<void> {
    return this.#slots.current === null ? Promise.resolve() : this.#refresh(this.#lifetime);
  }

  /**
   * Verifies a bundle that lies on this machine; its board need not be ours.
   * @throws {OtaError} `BUNDLE_*`
   */
  async verifyBundle(path: string, signal: AbortSignal): Promise<void> {
    await this.#rauc.inspect(path, signal);
  }

  /**
   * Takes a running trial back, or goes to the other slot, by a trial of its own.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `TAKE_RUNNING`, `UPDATE_BUSY`, `NOTHING_TO_ROLL_BACK`
   */
  async rollback(): Promise<UpdateView> {
    if (this.#state === 'trial') {
      this.#giveUp.abort();
      return this.status();
    }
    this.#checkFree(false);
    await this.#slots.read();
    const slots = this.#checkFree(false);
    const slot = otherSlot(slots.booted);
    if (slots.selector.marks[slot] !== 'good') {
      throw new OtaError('NOTHING_TO_ROLL_BACK', `slot ${slot} has never proved itself`);
    }
    const { installedVersion: fromVersion, folder, probes } = this.#options;
    this.#start('armed', async (signal) => {
      await this.#box.begin({
        version: this.#slots.versions[slot] ?? 'the previous version',
        fromVersion,
        slot,
      });
      await takeBaseline(folder, probes, signal);
      await this.#rauc.activateOther(signal);
      await this.#restartIntoTrial(false, signal);
    });
    return this.status();
  }

  /** Gives up what is being downloaded or installed; false where it has gone too far. */
  async cancel(): Promise<boolean> {
    if (!this.#work.isBusy || (this.#state !== 'downloading' && this.#state !== 'installing')) return false;
    await this.#work.cancel();
    return true;
  }

  /** Settles once no installation is under way. */
  get settled(): Promise<void> {
    return this.#work.done;
  }

  get #paths() {
    return this.#options.paths ?? devicePaths;
  }

  get #settings() {
    return this.#options.settings();
  }

  #checkFree(force: boolean): Slots {
    const slots = this.#slots.need();
    if (this.#state === 'trial') throw new OtaError('TRIAL_RUNNING', 'an update is on trial');
    // Armed without work under way: the restart has been asked for.
    if (this.#work.isBusy || this.#state === 'armed') {
      throw new OtaError('UPDATE_BUSY', 'an update is under way');
    }
    if (this.#options.takeRunning() && !force) {
      throw new OtaError('TAKE_RUNNING', 'a take is running', { hint: 'stop it first, or force the update' });
    }
    return slots;
  }

  async #planLatest(request: InstallRequest, allowDowngrade: boolean): Promise<InstallPlan> {
    await this.#refresh(this.#lifetime);
    const decision = this.#choice.decide(this.#facts(), request);
    if (decision.type === 'install') return planOf(decision.release, allowDowngrade);
    throw new OtaError('NOTHING_TO_INSTALL', decision.reason ?? 'this is the latest version');
  }

  #facts(): UpdateFacts {
    const { now, clockIsSet, installedVersion, deviceId, takeRunning } = this.#options;
    const time = now();
    return {
      installedVersion,
      deviceId,
      compatible: this.#slots.current?.compatible ?? '',
      recording: takeRunning(),
      trialRunning: this.#state === 'trial',
      minuteOfDay: clockIsSet() ? time.getHours() * 60 + time.getMinutes() : null,
      failedVersion: failedVersionOf(this.#box.attempts, performance.now() >= this.#retryAtMs),
    };
  }

  #begin(plan: InstallPlan, slots: Slots, force: boolean): void {
    const { installedVersion, exclusive, fetch, probes, folder } = this.#options;
    const { stallMs, preflightMs } = this.#timing;
    const tools = { box: this.#box, rauc: this.#rauc, fetch, probes, folder, stallMs, preflightMs };
    const onProgress = ({ percent }: { percent: number }) =>
      this.#set({ state: 'installing', progress: percent });
    this.#start('downloading', async (signal) => {
      const slot = otherSlot(slots.booted);
      await this.#box.begin({ version: plan.version ?? 'unknown', fromVersion: installedVersion, slot });
      const options = { ...tools, installedVersion, compatible: slots.compatible, onProgress };
      await exclusive(() => install(plan, options, signal));
      await this.#slots.readVersions(signal);
      const version = this.#slots.versions[slot];
      if (plan.version === null && version !== null) await this.#box.amend({ version });
      await this.#restartIntoTrial(force, signal);
    });
  }

  /**
   * Waits for the end of a take, then restarts. Only an armed slot has the early-boot agent watch its trial, and RAUC arms
   * none where a bundle brought no root.
   * @throws {OtaError} `INSTALL_FAILED`
   */
  async #restartIntoTrial(force: boolean, signal: AbortSignal): Promise<void> {
    const slots = await this.#slots.read();
    if (slots === null || slots.selector.pending !== otherSlot(slots.booted)) {
      throw new OtaError('INSTALL_FAILED', 'the other slot was not armed');
    }
    this.#set({ state: 'armed', progress: null, reason: null });
    const mustWait = () => this.#options.takeRunning() && !force;
    for (let restarts = false; !restarts; ) {
      while (mustWait()) {
        this.#set({ reason: 'waits for the end of the take' });
        await sleep(Math.min(this.#timing.tickMs, 2_000), undefined, { signal });
      }
      restarts = await this.#options.exclusive(async () => {
        // One may have begun while this waited for its turn.
        if (mustWait()) return false;
        await this.#box.stage(RESTART_STAGE, true, `slot ${this.#box.open?.slot}`);
        await this.#options.restart(true);
        return true;
      });
    }
  }

  #start(state: UpdateView['state'], task: (signal: AbortSignal) => Promise<void>): void {
    this.#set({ state, progress: null, reason: null });
    this.#work.start(this.#lifetime, task, async (error) => {
      // Where the process ends, what is open is settled at the next start, when it is known what became of it.
      if (error !== null && !this.#lifetime.aborted) await this.#failed(error);
    });
  }

  async #failed(error: unknown): Promise<void> {
    const { logger } = this.#options;
    logger.warn({ err: error }, 'the update did not work out');
    const refused = error instanceof OtaError && isRefusal(error.code);
    await this.#box.close(refused ? 'refused' : 'failed', messageOf(error));
    try {
      await this.#slots.read();
    } catch (cause) {
      logger.error({ err: cause }, 'the slots could not be read');
    }
    this.#retryAtMs = performance.now() + this.#timing.retryMs;
    this.#set({ state: 'idle', progress: null, reason: messageOf(error) });
  }

  /** On trial: commit, or go back. */
  async #judge(signal: AbortSignal): Promise<void> {
    const { children, probes, folder, logger, restart, exclusive, installedVersion } = this.#options;
    this.#set({ state: 'trial', reason: 'the new version has to prove itself' });
    await this.#box.amend({ version: installedVersion });
    const parts = { box: this.#box, rauc: this.#rauc, children, probes, folder, logger, paths: this.#paths };
    const committed = await runTrial(
      { ...parts, timing: this.#timing.gate, restart: (trial) => exclusive(() => restart(trial)) },
      signal,
      this.#giveUp.signal,
    );
    if (!committed) {
      this.#set({ reason: this.#box.last?.reason ?? null });
      return await untilAborted(signal);
    }
    logger.info({ version: installedVersion }, 'the update is committed');
    await this.#slots.read();
    await this.#slots.readVersions(signal);
    this.#set({ state: 'idle', reason: null });
  }

  /** Not on trial: tell what became of the last attempt, and confirm this slot once it works. */
  async #settle(slots: Slots, signal: AbortSignal): Promise<void> {
    const { folder, logger, probes } = this.#options;
    await settleAttempt(this.#box, slots, folder, logger);
    this.#retryAtMs = performance.now() + this.#timing.retryMs;
    this.#set({ state: 'idle', reason: null });
    await this.#slots.readVersions(signal);
    const parts = { probes, timing: this.#timing.gate, rauc: this.#rauc, logger };
    // Goes on beside the watch.
    void confirmBoot(slots, parts, signal)
      .then(async (confirmed) => {
        if (!confirmed) return;
        await this.#slots.read();
        this.#tell();
      })
      .catch((error: unknown) => logger.error({ err: error }, 'the slots could not be read'));
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let nextCheckMs = performance.now() + this.#timing.firstCheckMs;
    while (!signal.aborted) {
      if (!this.#work.isBusy) {
        if (performance.now() >= nextCheckMs) {
          // Not all machines at the same hour.
          const jitter = 0.9 + Math.random() * 0.2;
          nextCheckMs = performance.now() + this.#settings.checkIntervalHours * 3_600_000 * jitter;
          await this.#refresh(signal);
        }
        await this.#choice.lookForMedia(signal);
        this.#consider();
      }
      await sleep(this.#timing.tickMs, undefined, { signal });
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      await this.#choice.lookAtChannel(signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn({ err: error }, 'the update channel cannot be read');
      this.#set({ reason: messageOf(error) });
    }
  }

  /** Acts on what is on offer, but while a version is on trial, or about to be: what runs then is not settled. */
  #consider(): void {
    const slots = this.#slots.current;
    if (this.#work.isBusy || slots === null || this.#state === 'armed' || this.#state === 'trial') return;
    const decision = this.#choice.decide(this.#facts(), null);
    if (decision.type === 'install') {
      this.#begin(planOf(decision.release, this.#settings.allowDowngrade), slots, false);
    } else if (decision.type === 'defer') {
      this.#set({ state: 'deferred', reason: decision.reason });
    } else if (this.#state === 'deferred') {
      this.#set({ state: 'idle', reason: null });
    } else {
      this.#tell();
    }
  }

  #set(change: Change): void {
    if (change.state !== undefined) this.#state = change.state;
    if (change.reason !== undefined) this.#reason = change.reason;
    if (change.progress !== undefined) this.#progress = change.progress;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
