/** Bounds of the pauses between tries, in milliseconds. */
export interface BackoffLimits {
  /** Upper bound of the first pause. */
  readonly firstMs: number;
  /** Upper bound of every pause. */
  readonly maxMs: number;
}

/**
 * Pause in milliseconds before retry number `attempt` (from 0). The bound doubles with each attempt; half of it is certain and the
 * other half random, so that many clients that failed together do not return together.
 * @param random uniform in [0, 1)
 */
export function backoffMs(
  attempt: number,
  { firstMs, maxMs }: BackoffLimits,
  random = Math.random(),
): number {
  const boundMs = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(boundMs * (0.5 + random / 2));
}

/** Counts the attempts for {@link backoffMs}. Call `reset` once what is retried has proven stable. */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #attempt = 0;

  constructor(limits: BackoffLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  nextMs(): number {
    const ms = backoffMs(this.#attempt, this.#limits, this.#random());
    this.#attempt += 1;
    return ms;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
