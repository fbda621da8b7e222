/** When a session with another server is tried again. */
import type { HubError } from './whip-client.ts';

const FIRST_PAUSE_MS = 250;
/** Short, since a feed must be back within 3 s of the link's return. */
const LONGEST_PAUSE_MS = 1000;
/** What trying again soon cannot mend: wrong token, unknown feed, unusable stream. */
const REFUSED_PAUSE_MS = 5000;

/** Exponential with full jitter; what only a human mends is tried slowly. */
export function pauseAfter(error: HubError | null, failures: number): number {
  if (error?.retryAfterS !== undefined) return Math.min(10, Math.max(0.5, error.retryAfterS)) * 1000;
  const status = error?.status ?? 0;
  const refused = (status >= 400 && status < 500 && status !== 409) || error?.code === 'HUB_IDENTITY';
  if (refused) return REFUSED_PAUSE_MS;
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(50 + Math.random() * ceiling);
}
