/**
 * When a track's packets were captured, by the wall clock of this machine: what sender reports to viewers say, so that
 * they play sound and picture of one publisher together.
 */

/** Offset between the publisher's clock and ours; one per publisher, so that its tracks share it. */
export class PublisherClock {
  #offsetMs: number | null = null;

  /** Our wall clock for a time of the publisher's. The first report sets the offset. */
  toLocal(publisherUnixMs: number, nowUnixMs: number): number {
    this.#offsetMs ??= nowUnixMs - publisherUnixMs;
    return publisherUnixMs + this.#offsetMs;
  }
}

export class TrackClock {
  readonly #clockRate: number;
  #reference: { unixMs: number; timestamp: number } | null = null;
  #exact = false;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** Without reports of the publisher the arrival has to do. */
  noteArrival(timestamp: number, unixMs: number): void {
    if (!this.#exact) this.#reference = { timestamp, unixMs };
  }

  noteReport(timestamp: number, unixMs: number): void {
    this.#exact = true;
    this.#reference = { timestamp, unixMs };
  }

  /** A new source: its first report is yet to come. */
  reset(): void {
    this.#exact = false;
  }

  /** The timestamp that the track has at a wall-clock time; null before the first packet. */
  timestampAt(unixMs: number): number | null {
    if (this.#reference === null) return null;
    const elapsed = Math.round(((unixMs - this.#reference.unixMs) * this.#clockRate) / 1000);
    return (this.#reference.timestamp + elapsed) >>> 0;
  }
}
