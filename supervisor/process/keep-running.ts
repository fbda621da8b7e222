import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import { decideRestart, defaultRestartPolicy, type RestartPolicy } from './restart-policy.ts';

/** A service: runs until its signal aborts. */
export type ServiceRun = (signal: AbortSignal) => Promise<void>;

/** How failures of a service are handled. */
export interface KeepRunningOptions {
  readonly name: string;
  readonly log: Logger;
  /** Called with the reason when the service fails, and with null once it runs again or has ended. */
  readonly onTrouble?: (reason: string | null) => void;
  readonly policy?: RestartPolicy;
}

/** Runs a service until it ends or the signal aborts. If it fails, it is run again after a pause that grows. Never rejects. */
export async function keepRunning(
  run: ServiceRun,
  { name, log, onTrouble = () => {}, policy = defaultRestartPolicy }: KeepRunningOptions,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  let trouble: string | null = null;
  const tell = (reason: string | null) => {
    if (reason === trouble) return;
    trouble = reason;
    onTrouble(reason);
  };
  while (!signal.aborted) {
    const startedMs = performance.now();
    const stable = setTimeout(() => tell(null), policy.stableAfterMs);
    // What a failed run left at work ends before the next one begins: two of a kind would be in each other's way.
    const over = new AbortController();
    try {
      await run(AbortSignal.any([signal, over.signal]));
      break;
    } catch (error) {
      const decision = decideRestart(policy, failures, performance.now() - startedMs, Math.random());
      failures = decision.failures;
      const reason = describeError(error);
      over.abort();
      // A failure that repeats is logged once.
      const level = reason === trouble ? 'debug' : 'error';
      log[level]({ err: error, service: name, ...decision }, 'a service ended by an error');
      if (signal.aborted) break;
      tell(reason);
      await pause(decision.delayMs, signal);
    } finally {
      clearTimeout(stable);
    }
  }
  tell(null);
}
