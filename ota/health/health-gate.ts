import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf } from '../../common/errors.ts';
import { OtaError } from '../errors.ts';
import { type Health, judgeHealth, type Probe, type Verdict } from './health.ts';

/** Checks the machine's functions; the appliance knows how. Each probe may take its time, and may fail. */
export interface HealthProbes {
  cameras(signal: AbortSignal): Promise<Record<string, boolean>>;
  selfView(signal: AbortSignal): Promise<Probe>;
  recorder(signal: AbortSignal): Promise<Probe>;
  hubLink(signal: AbortSignal): Promise<Probe>;
  page(signal: AbortSignal): Promise<Probe>;
  clock(signal: AbortSignal): Promise<Probe>;
  failedUnits(signal: AbortSignal): Promise<string[]>;
}

/** Times of the gate, in milliseconds. */
export interface GateTiming {
  /** Without a good verdict for this long the trial has failed. */
  readonly deadlineMs: number;
  /** How long a verdict has to stay good: a machine that starts and then crashes does not pass. */
  readonly stableMs: number;
  readonly intervalMs: number;
  readonly probeTimeoutMs: number;
}

/** The times on a device. */
export const defaultGateTiming: GateTiming = {
  deadlineMs: 300_000,
  stableMs: 20_000,
  intervalMs: 2_000,
  probeTimeoutMs: 15_000,
};

/** Checks everything once. A probe that fails or hangs counts as a function that does not work. */
export async function examine(
  probes: HealthProbes,
  signal: AbortSignal,
  probeTimeoutMs = defaultGateTiming.probeTimeoutMs,
): Promise<Health> {
  const ask = async <T>(
    probe: (signal: AbortSignal) => Promise<T>,
    failed: (why: string) => T,
  ): Promise<T> => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]);
    try {
      return await Promise.race([probe(limit), rejectOn(limit)]);
    } catch (error) {
      return failed(messageOf(error));
    }
  };
  const broken = (detail: string): Probe => ({ ok: false, detail });
  const [cameras, selfView, recorder, hubLink, page, clock, failedUnits] = await Promise.all([
    ask(
      (limit) => probes.cameras(limit),
      () => ({}),
    ),
    ask((limit) => probes.selfView(limit), broken),
    ask((limit) => probes.recorder(limit), broken),
    ask((limit) => probes.hubLink(limit), broken),
    ask((limit) => probes.page(limit), broken),
    ask((limit) => probes.clock(limit), broken),
    ask(
      (limit) => probes.failedUnits(limit),
      (why) => [`(units unknown: ${why})`],
    ),
  ]);
  return { cameras, selfView, recorder, hubLink, page, clock, failedUnits };
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(new OtaError('PROBE_SILENT', 'no answer in time'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

/**
 * Waits until everything that worked before works again and stays so, or until the deadline. The last verdict says what was
 * missing.
 */
export async function runHealthGate(
  options: {
    probes: HealthProbes;
    baseline: Health | null;
    timing: GateTiming;
    logger: Logger;
    now: () => number;
    onVerdict?: (verdict: Verdict) => void;
  },
  signal: AbortSignal,
): Promise<Verdict> {
  const { probes, baseline, timing, now } = options;
  const startedMs = now();
  let goodSinceMs: number | null = null;
  let seen = '';
  for (;;) {
    const verdict = judgeHealth(baseline, await examine(probes, signal, timing.probeTimeoutMs));
    signal.throwIfAborted();
    options.onVerdict?.(verdict);
    const words = verdict.healthy ? 'everything works' : verdict.missing.join('; ');
    if (words !== seen) options.logger.info({ missing: verdict.missing }, `health: ${words}`);
    seen = words;
    goodSinceMs = verdict.healthy ? (goodSinceMs ?? now()) : null;
    if (goodSinceMs !== null && now() - goodSinceMs >= timing.stableMs) return verdict;
    if (goodSinceMs === null && now() - startedMs >= timing.deadlineMs) return verdict;
    // What is good at the deadline may prove itself a little longer, but not forever.
    if (now() - startedMs >= timing.deadlineMs + timing.stableMs) {
      return { healthy: false, missing: [...verdict.missing, 'it did not stay healthy'] };
    }
    await sleep(timing.intervalMs, undefined, { signal });
  }
}
