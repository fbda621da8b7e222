/** Below that a clock is slewed, or the machine was slow between the two looks at it. */
const leastStepS = 0.2;

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
  private readonly clocks: Clocks;
  private offsetMs: number;

  constructor(clocks: Clocks = ownClocks) {
    this.clocks = clocks;
    this.offsetMs = this.offset();
  }

  /** By how many seconds it was set since the last call; null if it was not. */
  step(): number | null {
    const before = this.offsetMs;
    this.offsetMs = this.offset();
    const seconds = (this.offsetMs - before) / 1000;
    return Math.abs(seconds) < leastStepS ? null : Math.round(seconds * 1000) / 1000;
  }

  private offset(): number {
    return this.clocks.wallMs() - this.clocks.steadyMs();
  }
}
