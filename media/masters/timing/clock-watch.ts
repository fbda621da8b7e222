/** Below that a clock is slewed. */
const leastStepS = 0.2;
/** A reading of both clocks that took longer is read again: a busy machine may pause between the two. */
const longestReadingMs = 20;
const mostReadings = 5;

/** The two clocks that are compared. */
export interface Clocks {
  /** Milliseconds since 1970, as the machine believes. */
  readonly wallMs: () => number;
  /** Milliseconds since any moment, by a clock that no one sets. */
  readonly steadyMs: () => number;
}

const ownClocks: Clocks = { wallMs: () => Date.now(), steadyMs: () => performance.now() };

/** Reports when the machine's clock was set, by a time server or by hand. */
export class ClockWatch {
  readonly #clocks: Clocks;
  #offsetMs: number;

  constructor(clocks: Clocks = ownClocks) {
    this.#clocks = clocks;
    this.#offsetMs = this.#offset();
  }

  /** By how many seconds it was set since the last call; null if it was not. */
  step(): number | null {
    const before = this.#offsetMs;
    this.#offsetMs = this.#offset();
    const seconds = (this.#offsetMs - before) / 1000;
    return Math.abs(seconds) < leastStepS ? null : Math.round(seconds * 1000) / 1000;
  }

  /** Wall minus steady clock, from the reading that took least. */
  #offset(): number {
    let best = { tookMs: Number.POSITIVE_INFINITY, offsetMs: 0 };
    for (let reading = 0; reading < mostReadings && best.tookMs > longestReadingMs; reading += 1) {
      const beforeMs = this.#clocks.steadyMs();
      const wallMs = this.#clocks.wallMs();
      const afterMs = this.#clocks.steadyMs();
      const tookMs = afterMs - beforeMs;
      if (tookMs < best.tookMs) best = { tookMs, offsetMs: wallMs - (beforeMs + afterMs) / 2 };
    }
    return best.offsetMs;
  }
}
