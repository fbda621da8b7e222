/** When a session with another server is tried again. */
import type { HubError } from './whip-client.ts';

/** How eagerly. */
export interface RetryPace {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Errors that a quick retry does not fix: wrong token, unknown feed, unusable stream. */
  readonly refusedMs: number;
  /** A server that asks for more patience than this is asked again after it. */
  readonly longestAskedMs: number;
  /** Up to this share is added to the time that a server asks for, so that not all clients return at once. */
  readonly spread: number;
  /** A session that held so long was stable: failures are counted from the beginning again. */
  readonly stableMs: number;
}

/** Towards the hub. Short, since a feed must be back within 3 s of the link's return. */
export const hubPace: RetryPace = {
  firstMs: 250,
  longestMs: 1000,
  refusedMs: 5000,
  longestAskedMs: 10_000,
  spread: 0,
  stableMs: 0,
};

/** Towards servers of others, which are not ours to hurry. */
export const foreignPace: RetryPace = {
  firstMs: 1000,
  longestMs: 60_000,
  refusedMs: 30_000,
  longestAskedMs: 600_000,
  spread: 0.2,
  stableMs: 30_000,
};

/** Exponential with full jitter; errors that only a person can fix are retried slowly. */
export function pauseAfter(error: HubError | null, failures: number, pace: RetryPace): number {
  if (error?.retryAfterS !== undefined) {
    const askedMs = Math.min(pace.longestAskedMs, Math.max(0.5, error.retryAfterS) * 1000);
    return Math.round(askedMs * (1 + Math.random() * pace.spread));
  }
  const status = error?.status ?? 0;
  const refused = (status >= 400 && status < 500 && status !== 409) || error?.code === 'HUB_IDENTITY';
  if (refused) return Math.round(pace.refusedMs * (1 + Math.random() * pace.spread));
  const ceiling = Math.min(pace.longestMs, pace.firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(50 + Math.random() * ceiling);
}
