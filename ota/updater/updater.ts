import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlackBox } from '../black-box.ts';
import { decideUpdate, type UpdateDecision } from '../channel/decide-update.ts';
import type { Release } from '../channel/manifest.ts';
import { messageOf, OtaError, type OtaErrorCode } from '../errors.ts';
import { defaultGateTiming, runHealthGate } from '../health/health-gate.ts';
import { Rauc } from '../install/rauc.ts';
import { otherSlot, type SlotName } from '../selector/slot.ts';
import { readFileOrNull } from '../store.ts';
import { aftermathOf, RESTART_STAGE } from './aftermath.ts';
import { type InstallPlan, install, localBundle } from './installation.ts';
import { Offers } from './offers.ts';
import { isOnTrial, readSlots, type Slots, slotViews } from './slots.ts';
import { runTrial, takeBaseline } from './trial.ts';
import {
  devicePaths,
  type InstallRequest,
  type UpdaterOptions,
  type UpdateTiming,
  type UpdateView,
} from './types.ts';

const defaultTiming: UpdateTiming = {
  gate: defaultGateTiming,
  tickMs: 60_000,
  firstCheckMs: 90_000,
  stallMs: 180_000,
  preflightMs: 30_000,
};

/** Codes that mean: the bundle is at fault, not the way here. */
const refusals: ReadonlySet<OtaErrorCode> = new Set<OtaErrorCode>([
  'BUNDLE_WRONG_KEY',
  'BUNDLE_SIGNER_EXPIRED',
  'BUNDLE_SIGNER_REVOKED',
  'BUNDLE_WRONG_BOARD',
  'BUNDLE_OLDER',
  'BUNDLE_NEEDS_STEP',
  'BUNDLE_FORMAT',
  'BUNDLE_CORRUPT',
  'BUNDLE_TRUNCATED',
  'DOWNLOAD_NO_RANGE',
]);

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
  readonly #offers: Offers;
  readonly #listeners = new Set<() => void>();
  #slots: Slots | null = null;
  #unsupported: string | null = 'It is not known yet whether this machine can be updated.';
  #versions: Readonly<Record<SlotName, string | null>> = { A: null, B: null };
  #state: UpdateView['state'] = 'unsupported';
  #reason: string | null = null;
  #progress: number | null = null;
  #latest: Release | null = null;
  #lifetime: AbortSignal = AbortSignal.abort();
  #work: { readonly cancel: AbortController; readonly done: Promise<void> } | null = null;
  readonly #giveUp = new AbortController();

  constructor(options: UpdaterOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#rauc = new Rauc(options.children);
    this.#box = new BlackBox(options.folder, options.logger, options.now);
    const { fetch, folder, logger } = options;
    this.#offers = new Offers({ fetch, rauc: this.#rauc, paths: this.#paths, folder, logger });
  }

  get #paths() {
    return this.#options.paths ?? devicePaths;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): UpdateView {
    const { installedVersion } = this.#options;
    const last = this.#box.attempts.findLast(({ outcome }) => outcome !== null);
    const rolledBack = this.#state === 'idle' && last?.outcome === 'rolled-back' && this.#box.open === null;
    return {
      installedVersion,
      latestVersion: this.#latest?.version ?? (this.#slots === null ? null : installedVersion),
      releaseNotes: this.#latest?.notes || null,
      state: rolledBack ? 'rolled-back' : this.#state,
      progressPercent: this.#progress,
      reason: this.#unsupported ?? this.#reason ?? (rolledBack ? (last?.reason ?? null) : null),
      slots: this.#slots === null ? [] : slotViews(this.#slots, installedVersion, this.#versions),
      lastAttempt:
        last === undefined
          ? null
          : {
              version: last.version,
              at: last.at,
              outcome: last.outcome ?? 'failed',
              reason: last.reason,
              stages: [...last.stages],
            },
    };
  }

  /** Works until the signal ends it: closes what an earlier boot left open, judges a trial, then watches the offers. */
  async run(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const slots = await this.#readSlots();
    if (slots === null) {
      logger.info({ reason: this.#unsupported }, 'no updates on this machine');
      await aborted(signal);
      return;
    }
    this.#lifetime = signal;
    await this.#box.load();
    try {
      if (isOnTrial(slots)) await this.#judge(signal);
      else await this.#settle(slots, signal);
      await this.#watch(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await this.#work?.done;
    }
  }

  /**
   * Begins an installation and returns once it is under way.
   * @throws {OtaError} `UPDATE_UNSUPPORTED`, `TAKE_RUNNING`, `TRIAL_RUNNING`, `UPDATE_BUSY`, `NOTHING_TO_INSTALL`,
   *   `BUNDLE_NOT_FOUND` for an address that is none
   */
  async install(request: InstallRequest): Promise<UpdateView> {
    this.#checkFree(request.force);
    const plan =
      request.url === undefined ? await this.#planLatest(request) : this.#planUrl(request.url, request);
    this.#checkFree(request.force);
    this.#begin(plan, request.force);
    return this.status();
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
    const slots = await this.#readSlots();
    if (slots === null) throw new OtaError('UPDATE_UNSUPPORTED', this.#unsupported ?? '');
    const target = otherSlot(slots.booted);
    if (slots.selector.marks[target] !== 'good') {
      throw new OtaError('NOTHING_TO_ROLL_BACK', `slot ${target} has never proved itself`);
    }
    this.#start('armed', async (signal) => {
      const version = this.#versions[target] ?? 'the previous version';
      await this.#box.begin({ version, fromVersion: this.#options.installedVersion, slot: target });
      await takeBaseline(this.#options.folder, this.#options.probes, signal);
      await this.#rauc.activateOther(signal);
      await this.#restartIntoTrial(false, signal);
    });
    return this.status();
  }

  /** Gives up what is being downloaded or installed; false where it has gone too far. */
  async cancel(): Promise<boolean> {
    if (this.#work === null || (this.#state !== 'downloading' && this.#state !== 'installing')) return false;
    this.#work.cancel.abort();
    await this.#work.done;
    return true;
  }

  #checkFree(force: boolean): void {
    if (this.#slots === null)
      throw new OtaError('UPDATE_UNSUPPORTED', this.#unsupported ?? 'not supported here');
    if (this.#state === 'trial') throw new OtaError('TRIAL_RUNNING', 'an update is on trial');
    if (this.#work !== null) throw new OtaError('UPDATE_BUSY', 'an update is under way');
    if (this.#options.takeRunning() && !force) {
      throw new OtaError('TAKE_RUNNING', 'a take is running', { hint: 'stop it first, or force the update' });
    }
  }

  #planUrl(url: string, request: InstallRequest): InstallPlan {
    const { allowDowngrade } = request;
    const common = {
      version: null,
      sizeBytes: null,
      allowDowngrade: allowDowngrade || this.#settings.allowDowngrade,
    };
    if (/^https?:\/\/[^/]/.test(url)) return { ...common, source: url };
    const path = localBundle(url, this.#paths.offline);
    if (path === null)
      throw new OtaError('BUNDLE_NOT_FOUND', 'this is neither a web address nor a bundle on a medium');
    return { ...common, source: path };
  }

  async #planLatest(request: InstallRequest): Promise<InstallPlan> {
    await this.#refresh(this.#lifetime);
    const decision = this.#decide(request);
    if (decision.type !== 'install') {
      throw new OtaError('NOTHING_TO_INSTALL', decision.reason ?? 'this is the latest version');
    }
    return planOf(decision.release, request.allowDowngrade || this.#settings.allowDowngrade);
  }

  get #settings() {
    return this.#options.settings();
  }

  #decide(request: InstallRequest | null): UpdateDecision {
    const { now, clockIsSet, installedVersion, deviceId, takeRunning } = this.#options;
    const time = now();
    const last = this.#box.last;
    const failed = last !== null && last.outcome !== 'committed' && last.outcome !== null;
    const facts = {
      installedVersion,
      compatible: this.#slots?.compatible ?? '',
      deviceId,
      recording: takeRunning(),
      trialRunning: this.#state === 'trial',
      minuteOfDay: clockIsSet() ? time.getHours() * 60 + time.getMinutes() : null,
      failedVersion: failed ? last.version : null,
    };
    const decision = decideUpdate(this.#offers.all(this.#settings.channel), facts, this.#settings, request);
    this.#latest = decision.type === 'none' ? null : decision.release;
    return decision;
  }

  #begin(plan: InstallPlan, force: boolean): void {
    const { installedVersion, exclusive, fetch, probes, folder } = this.#options;
    const slots = this.#slots as Slots;
    const { stallMs, preflightMs } = this.#timing;
    this.#start('downloading', async (signal) => {
      const slot = otherSlot(slots.booted);
      await this.#box.begin({ version: plan.version ?? 'unknown', fromVersion: installedVersion, slot });
      await exclusive(() =>
        install(
          plan,
          {
            ...{
              box: this.#box,
              rauc: this.#rauc,
              fetch,
              probes,
              folder,
              installedVersion,
              stallMs,
              preflightMs,
            },
            compatible: slots.compatible,
            onProgress: ({ percent }) => this.#set({ state: 'installing', progress: percent }),
          },
          signal,
        ),
      );
      await this.#restartIntoTrial(force, signal);
    });
  }

  /** Waits for the end of a take, then restarts. */
  async #restartIntoTrial(force: boolean, signal: AbortSignal): Promise<void> {
    this.#set({ state: 'armed', progress: null, reason: null });
    while (this.#options.takeRunning() && !force) {
      this.#set({ reason: 'waits for the end of the take' });
      await sleep(Math.min(this.#timing.tickMs, 2_000), undefined, { signal });
    }
    await this.#box.stage(RESTART_STAGE, true, `slot ${this.#box.open?.slot}`);
    await this.#options.exclusive(() => this.#options.restart(true));
  }

  #start(state: UpdateView['state'], task: (signal: AbortSignal) => Promise<void>): void {
    const cancel = new AbortController();
    const signal = AbortSignal.any([this.#lifetime, cancel.signal]);
    this.#set({ state, progress: null, reason: null });
    const work = {
      cancel,
      done: task(signal).then(
        () => undefined,
        (error: unknown) => this.#failed(error),
      ),
    };
    this.#work = work;
    void work.done.then(() => {
      if (this.#work === work) this.#work = null;
      this.#tell();
    });
  }

  async #failed(error: unknown): Promise<void> {
    const { logger } = this.#options;
    // The process ends: what is open is settled at the next start, when it is known what became of it.
    if (this.#lifetime.aborted) return;
    logger.warn({ err: error }, 'the update did not work out');
    const refused = error instanceof OtaError && refusals.has(error.code);
    try {
      await this.#box.close(refused ? 'refused' : 'failed', messageOf(error));
    } catch (cause) {
      logger.error({ err: cause }, 'the black box could not be written');
    }
    await this.#readSlots();
    this.#set({ state: 'idle', progress: null, reason: messageOf(error) });
  }

  /** On trial: commit, or go back. */
  async #judge(signal: AbortSignal): Promise<void> {
    const { children, probes, folder, logger, restart, installedVersion } = this.#options;
    this.#set({ state: 'trial', reason: 'the new version has to prove itself' });
    await this.#box.amend({ version: installedVersion });
    const parts = { box: this.#box, rauc: this.#rauc, children, probes, folder, logger, paths: this.#paths };
    const committed = await runTrial(
      {
        ...parts,
        timing: this.#timing.gate,
        restart: (trial) => this.#options.exclusive(() => restart(trial)),
      },
      signal,
      this.#giveUp.signal,
    );
    if (!committed) {
      this.#set({ reason: this.#box.last?.reason ?? null });
      await aborted(signal);
      return;
    }
    logger.info({ version: installedVersion }, 'the update is committed');
    await this.#readSlots();
    await this.#readVersions(signal);
    this.#set({ state: 'idle', reason: null });
  }

  /** Not on trial: tell what became of the last attempt, and confirm this slot once it works. */
  async #settle(slots: Slots, signal: AbortSignal): Promise<void> {
    const { folder, logger } = this.#options;
    const guardReport = join(folder, 'trial-guard.log');
    const open = this.#box.open;
    if (open !== null) {
      const report = await readFileOrNull(guardReport);
      const { outcome, reason } = aftermathOf(open, slots, report);
      if (report !== null) this.#box.log(report.split('\n'));
      await this.#box.close(outcome, reason);
      logger.warn(
        { version: open.version, outcome, reason },
        'an update ended without a word; this is what is known',
      );
    }
    await rm(guardReport, { force: true });
    this.#set({ state: 'idle', reason: null });
    await this.#readVersions(signal);
    void this.#confirm(slots, signal);
  }

  /** An ordinary boot counts as good once the page answers and nothing failed; else the early-boot agent counts it. */
  async #confirm(slots: Slots, signal: AbortSignal): Promise<void> {
    const { probes, logger } = this.#options;
    if (slots.booted !== slots.committed) return;
    try {
      const timing = this.#timing.gate;
      const gate = { probes, baseline: null, timing, logger, now: () => performance.now() };
      const verdict = await runHealthGate(gate, signal);
      if (!verdict.healthy) {
        logger.error({ missing: verdict.missing }, 'this boot is not confirmed');
        return;
      }
      await this.#rauc.markGood(signal);
      await this.#readSlots();
      this.#tell();
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error }, 'this boot could not be confirmed');
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let nextCheckMs = performance.now() + this.#timing.firstCheckMs;
    while (!signal.aborted) {
      if (this.#work === null && this.#state !== 'trial') {
        if (performance.now() >= nextCheckMs) {
          // Not all machines at the same hour.
          nextCheckMs =
            performance.now() + this.#settings.checkIntervalHours * 3_600_000 * (0.9 + Math.random() * 0.2);
          await this.#refresh(signal);
        }
        await this.#offers.refreshLocal(signal);
        this.#consider();
      }
      await sleep(this.#timing.tickMs, undefined, { signal });
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      await this.#offers.refreshChannel(this.#settings, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn({ err: error }, 'the update channel cannot be read');
      this.#set({ reason: messageOf(error) });
    }
  }

  #consider(): void {
    if (this.#work !== null) return;
    const decision = this.#decide(null);
    if (decision.type === 'install') {
      this.#begin(planOf(decision.release, this.#settings.allowDowngrade), false);
    } else if (decision.type === 'defer') {
      this.#set({ state: 'deferred', reason: decision.reason });
    } else if (this.#state === 'deferred') {
      this.#set({ state: 'idle', reason: null });
    } else {
      this.#tell();
    }
  }

  async #readSlots(): Promise<Slots | null> {
    const slots = await readSlots(this.#paths);
    this.#slots = typeof slots === 'string' ? null : slots;
    this.#unsupported = typeof slots === 'string' ? slots : null;
    return this.#slots;
  }

  async #readVersions(signal: AbortSignal): Promise<void> {
    try {
      this.#versions = (await this.#rauc.status(signal)).versions;
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn({ err: error }, 'RAUC does not say what lies in the slots');
    }
  }

  #set(change: { state?: UpdateView['state']; reason?: string | null; progress?: number | null }): void {
    if (change.state !== undefined) this.#state = change.state;
    if (change.reason !== undefined) this.#reason = change.reason;
    if (change.progress !== undefined) this.#progress = change.progress;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function planOf(release: Release, allowDowngrade: boolean): InstallPlan {
  const { url, version, sizeBytes } = release;
  return { source: url, version, sizeBytes, allowDowngrade };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
