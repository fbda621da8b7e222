/** Growing pauses between attempts, with jitter so that several sources do not return at the same time. */
export class Backoff {
  private readonly firstMs: number;
  private readonly maxMs: number;
  private readonly random: () => number;
  private attempt = 0;

  /** @param random uniform in [0, 1) */
  constructor(firstMs: number, maxMs: number, random: () => number = Math.random) {
    this.firstMs = firstMs;
    this.maxMs = maxMs;
    this.random = random;
  }

  /** The next pause in milliseconds: between half and all of the doubled bound. */
  next(): number {
    const whole = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(this.attempt, 30));
    this.attempt += 1;
    return Math.round(whole * (0.5 + this.random() / 2));
  }

  /** Call it once the source has proven stable. */
  reset(): void {
    this.attempt = 0;
  }
}
