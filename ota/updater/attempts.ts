import { messageOf } from '../../common/errors.ts';
import { OtaError, type OtaErrorCode } from '../errors.ts';
import { otherSlot } from '../selector/slot.ts';
import { RESTART_STAGE } from './aftermath.ts';
import { betweenTakes } from './between-takes.ts';
import { type InstallPlan, install } from './installation.ts';
import type { UpdaterParts } from './parts.ts';
import type { Slots } from './slots.ts';
import { takeBaseline } from './trial.ts';
import type { UpdateView } from './types.ts';
import { Work } from './work.ts';

/** Codes that mean: the bundle or its server is at fault, not the way to it. */
const isRefusal = (code: OtaErrorCode) => code.startsWith('BUNDLE_') || code === 'DOWNLOAD_NO_RANGE';

/** Attempts to change to the other slot, one at a time: an installation, or a rollback. Each ends with a restart, or fails. */
export class Attempts {
  readonly #parts: UpdaterParts;
  readonly #work = new Work();
  #lifetime: AbortSignal = AbortSignal.abort();
  /** Until then (performance.now()) nothing that was interrupted is tried again by itself. */
  #retryAtMs = Number.POSITIVE_INFINITY;

  constructor(parts: UpdaterParts) {
    this.#parts = parts;
  }

  /** Attempts that begin from now on end with this signal. */
  bindTo(lifetime: AbortSignal): void {
    this.#lifetime = lifetime;
  }

  get isBusy(): boolean {
    return this.#work.isBusy;
  }

  /** Settles when no attempt is under way. */
  get done(): Promise<void> {
    return this.#work.done;
  }

  /** Whether an interrupted attempt may be repeated without being asked for. */
  get mayRetry(): boolean {
    return performance.now() >= this.#retryAtMs;
  }

  /** Starts the time until an interrupted attempt is repeated. */
  postponeRetry(): void {
    this.#retryAtMs = performance.now() + this.#parts.timing.retryMs;
  }

  /** Installs a bundle into the slot that does not run, and restarts into its trial. */
  begin(plan: InstallPlan, slots: Slots, force: boolean): void {
    const { box, rauc, state, timing } = this.#parts;
    const { installedVersion, exclusive, fetch, probes, folder } = this.#parts.options;
    const { stallMs, preflightMs } = timing;
    const tools = { box, rauc, fetch, probes, folder, stallMs, preflightMs };
    const onProgress = ({ percent }: { percent: number }) =>
      state.set({ state: 'installing', progress: percent });
    this.#start('downloading', async (signal) => {
      const slot = otherSlot(slots.booted);
      await box.begin({ version: plan.version ?? 'unknown', fromVersion: installedVersion, slot });
      const options = { ...tools, installedVersion, compatible: slots.compatible, onProgress };
      await exclusive(() => install(plan, options, signal));
      await this.#parts.slots.readVersions(signal);
      const version = this.#parts.slots.versions[slot];
      if (plan.version === null && version !== null) await box.amend({ version });
      await this.#restartIntoTrial(force, signal);
    });
  }

  /**
   * Restarts into the other slot as it is, for a trial of its own.
   * @throws {OtaError} `NOTHING_TO_ROLL_BACK`
   */
  rollBack(slots: Slots): void {
    const { box, rauc } = this.#parts;
    const { installedVersion: fromVersion, folder, probes } = this.#parts.options;
    const slot = otherSlot(slots.booted);
    if (slots.selector.marks[slot] !== 'good') {
      throw new OtaError('NOTHING_TO_ROLL_BACK', `slot ${slot} has never proved itself`);
    }
    const version = this.#parts.slots.versions[slot] ?? 'the previous version';
    this.#start('armed', async (signal) => {
      await box.begin({ version, fromVersion, slot });
      await takeBaseline(folder, probes, signal);
      await rauc.activateOther(signal);
      await this.#restartIntoTrial(false, signal);
    });
  }

  /** Cancels a download or an installation; false if there is none, or it has gone too far. */
  async cancel(): Promise<boolean> {
    const { current } = this.#parts.state;
    if (!this.#work.isBusy || (current !== 'downloading' && current !== 'installing')) return false;
    await this.#work.cancel();
    return true;
  }

  /**
   * Waits for the end of a take, then restarts. Only an armed slot has the early-boot agent watch its trial, and RAUC arms
   * none if a bundle contained no root.
   * @throws {OtaError} `INSTALL_FAILED`
   */
  async #restartIntoTrial(force: boolean, signal: AbortSignal): Promise<void> {
    const { box, state } = this.#parts;
    const { restart } = this.#parts.options;
    const slots = await this.#parts.slots.read();
    if (slots === null || slots.selector.pending !== otherSlot(slots.booted)) {
      throw new OtaError('INSTALL_FAILED', 'the other slot was not armed');
    }
    state.set({ state: 'armed', progress: null, reason: null });
    await betweenTakes(this.#parts, { reason: 'waits for the end of the take', force }, signal, async () => {
      await box.stage(RESTART_STAGE, true, `slot ${box.open?.slot}`);
      await restart(true);
    });
  }

  #start(state: UpdateView['state'], task: (signal: AbortSignal) => Promise<void>): void {
    this.#parts.state.set({ state, progress: null, reason: null });
    this.#work.start(this.#lifetime, task, async (error) => {
      // If the process ends, the open attempt is settled at the next start, when its result is known.
      if (error !== null && !this.#lifetime.aborted) await this.#failed(error);
    });
  }

  async #failed(error: unknown): Promise<void> {
    const { box, slots, state } = this.#parts;
    const { logger } = this.#parts.options;
    logger.warn({ err: error }, 'the update failed');
    const refused = error instanceof OtaError && isRefusal(error.code);
    await box.close(refused ? 'refused' : 'failed', messageOf(error));
    try {
      await slots.read();
    } catch (cause) {
      logger.error({ err: cause }, 'the slots could not be read');
    }
    this.postponeRetry();
    state.set({ state: 'idle', progress: null, reason: messageOf(error) });
  }
}
