/** How long to wait before a failed program is started again. Milliseconds. */
export interface RestartPolicy {
  /** Upper bound of the first pause. */
  readonly initialMs: number;
  /** Upper bound of every pause. */
  readonly maxMs: number;
  /** Lower bound of every pause, so that chance never causes a busy loop. */
  readonly minMs: number;
  /** A run at least this long counts as stable: earlier failures are forgotten. */
  readonly stableAfterMs: number;
}

/** Pauses from half a second to half a minute. */
export const defaultRestartPolicy: RestartPolicy = {
  initialMs: 500,
  maxMs: 30_000,
  minMs: 100,
  stableAfterMs: 30_000,
};

/** What to do after a run has ended. */
export interface RestartDecision {
  /** Failed runs in a row, this one included. */
  readonly failures: number;
  /** Pause before the next run. */
  readonly delayMs: number;
}

/**
 * Decides when to start again after a run has ended: exponential backoff with full jitter (anything from 0 to the bound), so
 * that many that failed together do not start together. `random` is from 0 to 1.
 */
export function decideRestart(
  policy: RestartPolicy,
  failuresBefore: number,
  ranForMs: number,
  random: number,
): RestartDecision {
  const failures = ranForMs >= policy.stableAfterMs ? 1 : failuresBefore + 1;
  const bound = Math.min(policy.maxMs, policy.initialMs * 2 ** Math.min(failures - 1, 52));
  return { failures, delayMs: Math.max(Math.min(policy.minMs, bound), Math.round(bound * random)) };
}
