/** How far compressing and verifying a camera's part of a take has come. */
export interface FinishProgress {
  /** 0 to 1. */
  readonly done: number;
  /** Seconds until all is done, at the speed so far; null if it cannot be estimated yet. */
  readonly remainingS: number | null;
}

/** Below this an estimate is a guess. */
const leastS = 2;
const leastDone = 0.03;

/**
 * Counts the frames that compressing and verifying process. A frame that waits for compression is two pieces of work: it is
 * decoded once more to prove it.
 */
export class FinishMeter {
  readonly #nowS: () => number;
  #total = 0;
  #finished = 0;
  #within = 0;
  #startS: number | null = null;

  constructor(nowS: () => number = () => performance.now() / 1000) {
    this.#nowS = nowS;
  }

  /** What is to be done, in frames. */
  begin(frames: number): void {
    this.#total = Math.max(1, frames);
    this.#finished = 0;
    this.#within = 0;
    this.#startS = this.#nowS();
  }

  /** Frames of the present step that are done. */
  frames(frames: number): void {
    this.#within = Math.max(this.#within, frames);
  }

  /** A step of this many frames is over, or was empty. */
  step(frames: number): void {
    this.#finished += frames;
    this.#within = 0;
  }

  progress(): FinishProgress {
    const done = Math.min(1, (this.#finished + this.#within) / Math.max(1, this.#total));
    const elapsedS = this.#startS === null ? 0 : this.#nowS() - this.#startS;
    const known = elapsedS >= leastS && done >= leastDone;
    return { done, remainingS: known ? Math.ceil((elapsedS / done) * (1 - done)) : null };
  }
}
