import { setTimeout as sleep } from 'node:timers/promises';
import { RigError } from './errors.ts';

/** How long and how often to ask. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks until the answer is neither undefined nor false. An exception counts as "not yet"; the last one is the cause of the
 * timeout. Rejects with RIG_TIMEOUT, or with the signal's reason.
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs, pollMs = 1000, signal }: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) {
      throw new RigError('RIG_TIMEOUT', `${what}: not within ${Math.round(timeoutMs / 1000)} s`, { cause });
    }
    await sleep(pollMs, undefined, { signal });
  }
}
