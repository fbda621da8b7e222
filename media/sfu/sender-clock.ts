/**
 * When a track's packets were captured, by this machine's steady clock: sender reports to viewers say so, and viewers play
 * sound and picture of one publisher together. Wall clocks, ours and the publisher's, are set while pictures flow (a board
 * without a battery starts in the past), so none of their steps may reach the time line.
 */

/** A report that seems further off than this came from a clock that was set since the offset was measured. */
const MAX_OFF_MS = 1000;
/** Beyond this age a report is not about the time of capture. */
const MAX_AGE_MS = 60_000;

/** Offset between the publisher's clock and ours; one per publisher, so that its tracks share it. */
export class PublisherClock {
  #offsetMs: number | null = null;

  /** Our steady time for a time of the publisher's. The first report sets the offset, and one after a step does again. */
  toLocal(publisherUnixMs: number, nowMs: number): number {
    const localMs = publisherUnixMs + (this.#offsetMs ?? Number.POSITIVE_INFINITY);
    if (Math.abs(localMs - nowMs) <= MAX_OFF_MS) return localMs;
    this.#offsetMs = nowMs - publisherUnixMs;
    return nowMs;
  }
}

/** The clock of one track. */
export class TrackClock {
  readonly #clockRate: number;
  #reference: { atMs: number; timestamp: number } | null = null;
  #exact = false;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** Without reports of the publisher the arrival must be enough. Times are monotonic (performance.now). */
  noteArrival(timestamp: number, nowMs: number): void {
    if (!this.#exact) this.#reference = { timestamp, atMs: nowMs };
  }

  /** A report says that `timestamp` was captured at `atMs`; an implausible one is ignored. */
  noteReport(timestamp: number, atMs: number, nowMs: number): void {
    if (Math.abs(nowMs - atMs) > MAX_AGE_MS) return;
    this.#exact = true;
    this.#reference = { timestamp, atMs };
  }

  /** A new source, or a new time line: its first report is yet to come. */
  reset(): void {
    this.#exact = false;
  }

  /** The timestamp that the track has at a time; null before the first packet. */
  timestampAt(nowMs: number): number | null {
    if (this.#reference === null) return null;
    const elapsed = Math.round(((nowMs - this.#reference.atMs) * this.#clockRate) / 1000);
    return (this.#reference.timestamp + elapsed) >>> 0;
  }
}
