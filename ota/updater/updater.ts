import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../common/errors.ts';
import { pause, untilAborted } from '../../common/pause.ts';
import type { UpdateDecision, UpdateFacts } from '../channel/decide-update.ts';
import { OtaError } from '../errors.ts';
import { judgeTrial, settleBoot } from './after-boot.ts';
import { failedVersionOf } from './aftermath.ts';
import { Attempts } from './attempts.ts';
import { Choice } from './choice.ts';
import { type InstallPlan, planOf, planOfUrl } from './installation.ts';
import { Offers } from './offers.ts';
import { type UpdaterParts, updaterParts } from './parts.ts';
import { isOnTrial, type Slots } from './slots.ts';
import type { InstallRequest, UpdaterOptions, UpdateView } from './types.ts';
import { composeView } from './view.ts';

/**
 * Updates of this machine: watches the offers, installs into the other slot, restarts into a trial, commits or rolls back by
 * the health gate, and reports the result from the slot that really runs. Without the image's slots it says so and does
 * nothing.
 */
export class Updater {
  readonly #options: UpdaterOptions;
  readonly #parts: UpdaterParts;
  readonly #choice: Choice;
  readonly #attempts: Attempts;
  readonly #giveUp = new AbortController();
  #lifetime: AbortSignal = AbortSignal.abort();

  constructor(options: UpdaterOptions) {
    this.#options = options;
    this.#parts = updaterParts(options);
    this.#attempts = new Attempts(this.#parts);
    const { fetch, folder, logger } = options;
    const { rauc, paths } = this.#parts;
    this.#choice = new Choice(new Offers({ fetch, rauc, paths, folder, logger }), options.settings);
  }

  /** Calls back on every change of the status. Returns the function that ends the subscription. */
  onChange(listener: () => void): () => void {
    return this.#parts.state.onChange(listener);
  }

  status(): UpdateView {
    const { state, slots, box } = this.#parts;
    return composeView({
      installedVersion: this.#options.installedVersion,
      latest: this.#choice.latest,
      state: state.current,
      reason: state.reason,
      unsupported: slots.unsupported,
      progressPercent: state.progress,
      slots: slots.current,
      versions: slots.versions,
      attempts: box.attempts,
    });
  }

  /**
   * Works until the signal ends it: closes what an earlier boot left open, judges a trial, then watches the offers. Failures
   * are tried again: live pictures and takes do not depend on updates.
   */
  async run(signal: AbortSignal): Promise<void> {
    this.#lifetime = signal;
    this.#attempts.bindTo(signal);
    while (!signal.aborted) {
      try {
        await this.#serve(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.logger.error({ err: error }, 'updates do not work; they are tried again');
        this.#parts.state.set({ reason: messageOf(error) });
        await pause(this.#parts.timing.tickMs, signal);
      }
    }
    await this.#attempts.done;
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const slots = await this.#parts.slots.read();
    if (slots === null) {
      this.#options.logger.info({ reason: this.#parts.slots.unsupported }, 'no updates on this machine');
      return await untilAborted(signal);
    }
    await this.#parts.box.load();
    if (isOnTrial(slots)) {
      await judgeTrial(this.#parts, this.#giveUp.signal, signal);
    } else {
      this.#attempts.postponeRetry();
      await settleBoot(this.#parts, slots, signal);
    }
    await this.#watch(signal);
  }

  /**
   * Begins an installation and returns once it is under way.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `TAKE_RUNNING`, `TRIAL_RUNNING`, `UPDATE_BUSY`, `NOTHING_TO_INSTALL`,
   *   `BUNDLE_NOT_FOUND` for an invalid address
   */
  async install(request: InstallRequest): Promise<UpdateView> {
    this.#checkFree(request.force);
    const allowDowngrade = request.allowDowngrade || this.#settings.allowDowngrade;
    const plan =
      request.url === undefined
        ? await this.#planLatest(request, allowDowngrade)
        : planOfUrl(request.url, allowDowngrade, this.#parts.paths.offline);
    const slots = this.#checkFree(request.force);
    this.#attempts.begin(plan, slots, request.force);
    return this.status();
  }

  /**
   * Begins the installation of one bundle that someone chose, such as the hub: a path or an HTTP address.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `TAKE_RUNNING`, `TRIAL_RUNNING`, `UPDATE_BUSY`
   */
  installBundle(bundle: Omit<InstallPlan, 'allowDowngrade'>): UpdateView {
    const slots = this.#checkFree(false);
    this.#attempts.begin({ ...bundle, allowDowngrade: false }, slots, false);
    return this.status();
  }

  /** The newest release on offer for a machine of that board and version, or the one named; null if there is none. */
  newestFor(machine: Pick<UpdateFacts, 'compatible' | 'installedVersion'>, version: string | null = null) {
    return this.#choice.newestFor(machine, version);
  }

  /** Decides about a machine of that board and version, which may be updated while the owner's window is open. */
  decideFor(machine: Pick<UpdateFacts, 'compatible' | 'installedVersion' | 'failedVersion'>): UpdateDecision {
    return this.#choice.decideFor(machine, this.#facts());
  }

  /**
   * Checks the channel and media now, as the owner asked, and acts on the result like an automatic check.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `NO_CHANNEL` if there is nowhere to look, `CHANNEL_*`
   */
  async check(): Promise<UpdateView> {
    this.#parts.slots.need();
    await this.#choice.lookEverywhere(this.#lifetime);
    this.#consider();
    return this.status();
  }

  /** Checks the channel now; if it cannot be read, the status says why. */
  refreshOffers(): Promise<void> {
    return this.#parts.slots.current === null ? Promise.resolve() : this.#refresh(this.#lifetime);
  }

  /**
   * Verifies a bundle on this machine; it may be for another board.
   * @throws {OtaError} `BUNDLE_*`
   */
  async verifyBundle(path: string, signal: AbortSignal): Promise<void> {
    await this.#parts.rauc.inspect(path, signal);
  }

  /**
   * Rolls a running trial back, or changes to the other slot, by a trial of its own.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `TAKE_RUNNING`, `UPDATE_BUSY`, `NOTHING_TO_ROLL_BACK`
   */
  async rollback(): Promise<UpdateView> {
    if (this.#parts.state.current === 'trial') {
      this.#refuseDuringTake();
      this.#giveUp.abort();
      return this.status();
    }
    this.#checkFree(false);
    await this.#parts.slots.read();
    this.#attempts.rollBack(this.#checkFree(false));
    return this.status();
  }

  /** Cancels the running download or installation; false if there is none, or it has gone too far. */
  cancel(): Promise<boolean> {
    return this.#attempts.cancel();
  }

  /** Settles once no installation is under way. */
  get settled(): Promise<void> {
    return this.#attempts.done;
  }

  get #settings() {
    return this.#options.settings();
  }

  #checkFree(force: boolean): Slots {
    const { slots, state } = this.#parts;
    const present = slots.need();
    if (state.current === 'trial') throw new OtaError('TRIAL_RUNNING', 'an update is on trial');
    // Armed without work under way: the restart has been requested.
    if (this.#attempts.isBusy || state.current === 'armed') {
      throw new OtaError('UPDATE_BUSY', 'an update is under way');
    }
    if (!force) this.#refuseDuringTake();
    return present;
  }

  #refuseDuringTake(): void {
    if (!this.#options.takeRunning()) return;
    throw new OtaError('TAKE_RUNNING', 'a take is running', { hint: 'stop it first, or force the update' });
  }

  async #planLatest(request: InstallRequest, allowDowngrade: boolean): Promise<InstallPlan> {
    await this.#refresh(this.#lifetime);
    const decision = this.#choice.decide(this.#facts(), request);
    if (decision.type === 'install') return planOf(decision.release, allowDowngrade);
    throw new OtaError('NOTHING_TO_INSTALL', decision.reason ?? 'this is the latest version');
  }

  #facts(): UpdateFacts {
    const { now, clockIsSet, installedVersion, deviceId, takeRunning } = this.#options;
    const { slots, state, box } = this.#parts;
    const time = now();
    return {
      installedVersion,
      deviceId,
      compatible: slots.current?.compatible ?? '',
      recording: takeRunning(),
      trialRunning: state.current === 'trial',
      minuteOfDay: clockIsSet() ? time.getHours() * 60 + time.getMinutes() : null,
      failedVersion: failedVersionOf(box.attempts, this.#attempts.mayRetry),
    };
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { firstCheckMs, tickMs } = this.#parts.timing;
    let nextCheckMs = performance.now() + firstCheckMs;
    while (!signal.aborted) {
      if (!this.#attempts.isBusy) {
        if (performance.now() >= nextCheckMs) {
          // Not all machines at the same hour.
          const jitter = 0.9 + Math.random() * 0.2;
          nextCheckMs = performance.now() + this.#settings.checkIntervalHours * 3_600_000 * jitter;
          await this.#refresh(signal);
        }
        await this.#choice.lookForMedia(signal);
        this.#consider();
      }
      await sleep(tickMs, undefined, { signal });
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      await this.#choice.lookAtChannel(signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn({ err: error }, 'the update channel cannot be read');
      this.#parts.state.set({ reason: messageOf(error) });
    }
  }

  /** Acts on what is on offer, except while a version is on trial, or about to be: the running version is not certain then. */
  #consider(): void {
    const { state } = this.#parts;
    const slots = this.#parts.slots.current;
    if (this.#attempts.isBusy || slots === null || state.current === 'armed' || state.current === 'trial')
      return;
    const decision = this.#choice.decide(this.#facts(), null);
    if (decision.type === 'install') {
      this.#attempts.begin(planOf(decision.release, this.#settings.allowDowngrade), slots, false);
    } else if (decision.type === 'defer') {
      state.set({ state: 'deferred', reason: decision.reason });
    } else if (state.current === 'deferred') {
      state.set({ state: 'idle', reason: null });
    } else {
      state.changed();
    }
  }
}
