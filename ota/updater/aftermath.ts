import type { Attempt } from '../black-box.ts';
import type { Slots } from './slots.ts';

/** Name of the stage after which the machine restarts into the trial. */
export const RESTART_STAGE = 'restart into the trial';

/** The result of an attempt that was left open. */
export interface Aftermath {
  readonly outcome: 'committed' | 'rolled-back' | 'failed';
  readonly reason: string | null;
}

/**
 * Finds the result of an attempt that was left open, as the really booted slot can tell from how far it got and what the
 * selector noted. Pure. `guardReport`: what the trial's deadline wrote before it restarted the machine.
 */
export function aftermathOf(attempt: Attempt, slots: Slots, guardReport: string | null): Aftermath {
  const restarted = attempt.stages.some(({ name, ok }) => name === RESTART_STAGE && ok);
  if (!restarted) {
    const reached = attempt.stages.at(-1)?.name ?? 'the beginning';
    return { outcome: 'failed', reason: `interrupted after: ${reached}` };
  }
  if (slots.booted === attempt.slot && slots.committed === attempt.slot) {
    return { outcome: 'committed', reason: null };
  }
  const failed = [...attempt.stages].reverse().find(({ ok }) => !ok);
  if (failed !== undefined) return { outcome: 'rolled-back', reason: failed.detail ?? failed.name };
  if (guardReport !== null) {
    return {
      outcome: 'rolled-back',
      reason: guardReport.split('\n')[0]?.trim() || 'the trial ran out of time',
    };
  }
  const { note } = slots.selector;
  if (note === `never-started-${attempt.slot}`) {
    return {
      outcome: 'rolled-back',
      reason: 'the trial did not start: its kernel or boot files do not work',
    };
  }
  const seen = attempt.stages.some(({ name }) => name === TRIAL_STAGE);
  return {
    outcome: 'rolled-back',
    reason: seen
      ? 'the trial ended before its verdict: it crashed, hung, or lost its power'
      : 'the trial started, but its product did not come up: it crashed, hung, or lost its power',
  };
}

/** How often an interrupted installation is tried by itself, before someone must ask for it. */
const MAX_TRIES = 3;

/**
 * The version that is not installed by itself again: it was refused or rolled back here, or it could not be installed as often
 * as that is tried, or `mayRetry` says that it is too soon. An interrupted download says nothing about the version. Pure.
 */
export function failedVersionOf(attempts: readonly Attempt[], mayRetry: boolean): string | null {
  const last = attempts.at(-1);
  if (last === undefined || last.outcome === null || last.outcome === 'committed') return null;
  const tries = attempts.slice(-MAX_TRIES);
  const mayBeTried =
    last.outcome === 'failed' &&
    (tries.length < MAX_TRIES ||
      tries.some(({ version, outcome }) => version !== last.version || outcome !== 'failed'));
  return mayBeTried && mayRetry ? null : last.version;
}

/** Name of the stage that says that the product in the trial slot runs. */
export const TRIAL_STAGE = 'trial boot';
