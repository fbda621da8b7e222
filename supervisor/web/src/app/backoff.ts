export interface BackoffLimits {
  /** Upper bound of the first wait. */
  readonly firstMs: number;
  /** Upper bound of every wait. */
  readonly mostMs: number;
}

/**
 * Wait before retry number `attempt` (from 0): half of a doubling bound for certain, the other half by chance,
 * so that the pages of a whole crew do not return in the same instant.
 */
export const backoffMs = (
  attempt: number,
  { firstMs, mostMs }: BackoffLimits,
  random: () => number = Math.random,
): number => {
  const boundMs = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(boundMs / 2 + (boundMs / 2) * random());
};

/** Resolves after `ms`, or at once when the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });

/** A pause that ends early when a phone finds its network again, or the page is looked at again. */
export const pauseUntilOnline = async (ms: number, signal: AbortSignal): Promise<void> => {
  const early = new AbortController();
  const wake = () => {
    if (document.visibilityState === 'visible') early.abort();
  };
  globalThis.addEventListener('online', wake);
  document.addEventListener('visibilitychange', wake);
  await pause(ms, AbortSignal.any([signal, early.signal]));
  globalThis.removeEventListener('online', wake);
  document.removeEventListener('visibilitychange', wake);
};
