/** Waits; an abort ends the wait early and is no error. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = () => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(resolve, ms);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
}
