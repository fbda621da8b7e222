import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ChildHost } from '../../common/child-host.ts';
import { messageOf } from '../../common/errors.ts';
import type { BlackBox } from '../black-box.ts';
import { type Health, healthSchema } from '../health/health.ts';
import { examine, type GateTiming, type HealthProbes, runHealthGate } from '../health/health-gate.ts';
import type { Rauc } from '../install/rauc.ts';
import { runToEnd } from '../run-program.ts';
import { readKept, replaceFile } from '../store.ts';
import { TRIAL_STAGE } from './aftermath.ts';
import { readSlots } from './slots.ts';
import type { UpdatePaths } from './types.ts';

/** What a trial needs. */
export interface TrialOptions {
  readonly box: BlackBox;
  readonly rauc: Rauc;
  readonly children: ChildHost;
  readonly probes: HealthProbes;
  readonly timing: GateTiming;
  readonly folder: string;
  readonly paths: UpdatePaths;
  readonly logger: Logger;
  readonly restart: (trial: boolean) => Promise<void>;
}

const baselineFile = (folder: string) => join(folder, 'baseline.json');

/** Checks what works, and keeps the result for the trial to compare with. */
export async function takeBaseline(
  folder: string,
  probes: HealthProbes,
  signal: AbortSignal,
): Promise<Health> {
  const baseline = await examine(probes, signal);
  await replaceFile(baselineFile(folder), `${JSON.stringify(baseline, null, 1)}\n`);
  return baseline;
}

/** The kept baseline; null if there is none, or it cannot be read: only the page counts then. */
export function readBaseline(folder: string, logger: Logger): Promise<Health | null> {
  return readKept(baselineFile(folder), (text) => healthSchema.parse(JSON.parse(text)), logger);
}

/**
 * Judges the running trial: commits it, or rolls it back and restarts. True if it was committed. An abort of `giveUp` rolls it
 * back at once; an abort of `signal` leaves everything unchanged.
 */
export async function runTrial(
  options: TrialOptions,
  signal: AbortSignal,
  giveUp: AbortSignal,
): Promise<boolean> {
  const { box, rauc, logger } = options;
  await box.stage(TRIAL_STAGE, true);
  const reason = await verdictOf(options, signal, giveUp);
  signal.throwIfAborted();
  if (reason === null) {
    const failure = await commit(options, signal);
    if (failure === null) {
      await box.stage('commit', true);
      await box.close('committed', null);
      return true;
    }
    await box.stage('commit', false, failure);
  } else {
    await box.stage('health', false, reason);
  }
  const why = box.open?.stages.at(-1)?.detail ?? reason ?? 'it could not be committed';
  logger.error({ reason: why }, 'the trial has failed; going back');
  box.log(await journalTail(options));
  await box.close('rolled-back', why);
  try {
    await rauc.markBad();
  } catch (error) {
    // The restart alone already rolls back; the early-boot agent closes the trial then.
    logger.warn({ err: error }, 'the slot could not be marked bad');
  }
  await options.restart(false);
  return false;
}

async function verdictOf(
  options: TrialOptions,
  signal: AbortSignal,
  giveUp: AbortSignal,
): Promise<string | null> {
  const { box, probes, timing, logger, folder } = options;
  const baseline = await readBaseline(folder, logger);
  const both = AbortSignal.any([signal, giveUp]);
  try {
    const gate = { probes, baseline, timing, logger, now: () => performance.now() };
    const verdict = await runHealthGate(gate, both);
    if (!verdict.healthy) return verdict.missing.join('; ');
    await box.stage('health', true);
    return null;
  } catch (error) {
    if (giveUp.aborted) return 'taken back by request';
    if (signal.aborted) throw error;
    return `the health could not be judged: ${messageOf(error)}`;
  }
}

/** Commits by RAUC, and reads back whether it worked, whatever RAUC says; a sentence if it did not. */
async function commit({ rauc, paths, logger }: TrialOptions, signal: AbortSignal): Promise<string | null> {
  let failure = 'the selector does not name this slot after the commit';
  try {
    await rauc.markGood(signal);
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ err: error }, 'the commit did not end well');
    failure = messageOf(error);
  }
  try {
    const slots = await readSlots(paths);
    if (typeof slots === 'string') return slots;
    return slots.committed === slots.booted ? null : failure;
  } catch (error) {
    return messageOf(error);
  }
}

/** The end of this boot's journal, for the black box. */
async function journalTail({ children, logger }: TrialOptions): Promise<readonly string[]> {
  try {
    const argv = ['journalctl', '--boot', '--no-pager', '--lines=150', '--output=short-monotonic'] as const;
    return (await runToEnd(children, 'journal-tail', argv, { timeoutMs: 15_000 })).stdout;
  } catch (error) {
    logger.warn({ err: error }, 'the journal could not be read');
    return [];
  }
}
