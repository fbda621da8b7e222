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

/** A pause that ends early when a phone finds its network again, or the page becomes visible again. */
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
