/** So many at once, and so many a second from then on. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  left: number;
  atMs: number;
}

const mostBuckets = 4096;

/**
 * Limits how often a caller may ask for something that costs more than an answer. Each name has a bucket that fills up again. A caller
 * that empties its own has to wait, and takes nothing from the others.
 */
export class RateLimiter {
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes one. Returns the seconds to wait if none is left, else null. */
  take(name: string, { burst, perSecond }: Rate): number | null {
    const nowMs = this.#now();
    const bucket = this.#buckets.get(name) ?? { left: burst, atMs: nowMs };
    bucket.left = Math.min(burst, bucket.left + ((nowMs - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = nowMs;
    // The one that was used last is forgotten last.
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > mostBuckets) this.#forgetOldest();
    if (bucket.left < 1) return Math.max(1, Math.ceil((1 - bucket.left) / perSecond));
    bucket.left -= 1;
    return null;
  }

  #forgetOldest(): void {
    for (const name of this.#buckets.keys()) {
      this.#buckets.delete(name);
      return;
    }
  }
}
