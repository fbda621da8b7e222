const WINDOW_MS = 2000;
const MIN_SPAN_MS = 200;

/** Events per second over a short sliding window. */
export class RateMeter {
  #samples: { atMs: number; total: number }[] = [];

  /** Notes a running total; call it a few times a second. */
  sample(total: number, nowMs: number): void {
    this.#samples.push({ atMs: nowMs, total });
    while (this.#samples.length > 2 && nowMs - (this.#samples[1]?.atMs ?? nowMs) >= WINDOW_MS)
      this.#samples.shift();
  }

  /** Growth of the total per second; 0 until there is something to compare. */
  get perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < MIN_SPAN_MS) return 0;
    return ((last.total - first.total) * 1000) / (last.atMs - first.atMs);
  }
}
