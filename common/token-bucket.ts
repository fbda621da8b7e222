/** Size and rate of a {@link TokenBucket}. */
export interface TokenBucketOptions {
  /** How many may come at once. */
  readonly burst: number;
  readonly perSecond: number;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

/** Limits a rate, for everything that strangers or other machines can cause here. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #now: () => number;
  #left: number;
  #filledAtMs: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#left = options.burst;
    this.#filledAtMs = this.#now();
  }

  /** Whether one more may happen now. Takes a token if so. */
  take(): boolean {
    const { burst, perSecond } = this.#options;
    const nowMs = this.#now();
    this.#left = Math.min(burst, this.#left + (Math.max(0, nowMs - this.#filledAtMs) / 1000) * perSecond);
    this.#filledAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
