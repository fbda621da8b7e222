import type { ChildLine, LineListener } from './child.ts';

const windowMs = 1000;

/**
 * Passes on at most a given number of lines per second. Further lines are counted, and a line of its own reports the count when
 * the next second begins or the child ends.
 */
export class LineThrottle {
  readonly #onLine: LineListener;
  readonly #maxPerSecond: number;
  readonly #now: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #passed = 0;
  #withheld = 0;
  #total = 0;

  constructor(onLine: LineListener, maxPerSecond: number, now: () => number = () => performance.now()) {
    this.#onLine = onLine;
    this.#maxPerSecond = maxPerSecond;
    this.#now = now;
  }

  /** How many lines were withheld so far. */
  get withheldTotal(): number {
    return this.#total;
  }

  push(line: ChildLine): void {
    if (this.#now() - this.#windowStart >= windowMs) {
      this.flush();
      this.#windowStart = this.#now();
      this.#passed = 0;
    }
    if (this.#passed < this.#maxPerSecond) {
      this.#passed += 1;
      this.#onLine(line);
    } else {
      this.#withheld += 1;
      this.#total += 1;
    }
  }

  /** Reports how many lines were withheld since the last report. */
  flush(): void {
    if (this.#withheld === 0) return;
    const text = `(${this.#withheld} more lines within a second, left out)`;
    this.#withheld = 0;
    this.#onLine({ stream: 'stderr', text });
  }
}
