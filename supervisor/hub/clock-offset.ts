/**
 * How far another clock is ahead, from messages there and back. Each exchange bounds the offset by half its round trip
 * (Cristian 1989), so the quickest one of a window is believed, as NTP's clock filter does (RFC 5905, section 10).
 */

/** One exchange: sent and received by this clock, answered by the other; Unix time in milliseconds. */
export interface Exchange {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly receivedMs: number;
}

/** How far another clock is ahead, and how certain that is. Milliseconds. */
export interface ClockOffset {
  /** Positive: the other clock is ahead. */
  readonly offsetMs: number;
  /** Bound of the error. */
  readonly uncertaintyMs: number;
}

interface Sample extends ClockOffset {
  readonly atMs: number;
}

/** At an exchange every 2 s this is about a minute. */
const window = 32;
/** Two quartz clocks may drift apart by this much meanwhile: 50 ppm each. */
const driftPerMs = 1e-4;
/** Clocks are read in whole milliseconds. */
const granularityMs = 1;

/** Estimates the offset of one other clock from the exchanges with it. */
export class ClockOffsetFilter {
  #samples: Sample[] = [];

  /** Forgets all measurements: the other side may be another machine now. */
  reset(): void {
    this.#samples = [];
  }

  /** Takes an exchange. One that is impossible because a clock was set in the middle is left out. */
  add({ sentMs, answeredMs, receivedMs }: Exchange): void {
    const roundTripMs = receivedMs - sentMs;
    if (!Number.isFinite(answeredMs) || !(roundTripMs >= 0)) return;
    const sample = {
      offsetMs: answeredMs - (sentMs + receivedMs) / 2,
      uncertaintyMs: roundTripMs / 2 + granularityMs,
      atMs: receivedMs,
    };
    const believed = this.current(receivedMs);
    // Two measurements that contradict each other: one of the clocks was set in between.
    if (
      believed !== null &&
      Math.abs(believed.offsetMs - sample.offsetMs) > believed.uncertaintyMs + sample.uncertaintyMs
    ) {
      this.#samples = [];
    }
    this.#samples.push(sample);
    if (this.#samples.length > window) this.#samples.shift();
  }

  /** The best estimate at a time of this clock; null before the first exchange. */
  current(nowMs: number): ClockOffset | null {
    let best: ClockOffset | null = null;
    for (const { offsetMs, uncertaintyMs, atMs } of this.#samples) {
      const agedMs = uncertaintyMs + Math.abs(nowMs - atMs) * driftPerMs;
      if (best === null || agedMs < best.uncertaintyMs) best = { offsetMs, uncertaintyMs: agedMs };
    }
    return best === null
      ? null
      : { offsetMs: tenths(best.offsetMs), uncertaintyMs: tenths(best.uncertaintyMs) };
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10 + 0;
}
