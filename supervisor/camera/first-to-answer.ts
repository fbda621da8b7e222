import { setTimeout as sleep } from 'node:timers/promises';

/** RFC 8305, section 8: the recommended Connection Attempt Delay. */
const staggerMs = 250;

/** The address that answered first, and what it answered. */
export interface Answer<T> {
  readonly address: string;
  readonly value: T;
}

/**
 * Tries the addresses of one server, each a quarter of a second after the one before, or at once when that one failed. The
 * first that answers wins; the other attempts are aborted, and no new one begins (RFC 8305, section 5). `addresses`: not empty.
 * Rejects with an AggregateError of all failures, in the order of the addresses.
 */
export async function firstToAnswer<T>(
  addresses: readonly string[],
  attempt: (address: string, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<Answer<T>> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let turn: Promise<unknown> = Promise.resolve();
  const tries = addresses.map(async (address) => {
    const mine = turn;
    const failed = Promise.withResolvers<void>();
    turn = Promise.race([failed.promise, mine.then(() => sleep(staggerMs, undefined, { signal: either }))]);
    // The next attempt gets the error; nobody waits for that of the last one.
    turn.catch(() => {});
    try {
      await mine;
      either.throwIfAborted();
      return { address, value: await attempt(address, either) };
    } catch (error) {
      failed.resolve();
      throw error;
    }
  });
  try {
    return await Promise.any(tries);
  } finally {
    over.abort();
  }
}
