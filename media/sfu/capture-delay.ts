import { timestampDistance } from '../rtp/sequence.ts';

/** Frames the figure is the median of: one that is late, such as a keyframe, does not move it. */
const window = 61;
/** A report whose time differs by more than this is not about the time of capture. */
const plausibleMs = 60_000;
/** A frame that is this much older than the last one belongs to another time line. */
const stepMs = 1000;

/**
 * How long after their capture frames arrive here, by the publisher's clock. A sender report (RFC 3550, section 6.4.1) says
 * which wall-clock time an RTP timestamp stands for; the caller adds the offset of the two clocks.
 * One instance per track.
 */
export class CaptureDelay {
  readonly #clockRate: number;
  #report: { readonly unixMs: number; readonly timestamp: number } | null = null;
  #newest: number | null = null;
  #delays: number[] = [];

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** Milliseconds; null before the first report and the first frame after it. */
  get ms(): number | null {
    const sorted = this.#delays.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    return median === undefined || Math.abs(median) > plausibleMs ? null : Math.round(median * 10) / 10;
  }

  noteReport(timestamp: number, unixMs: number): void {
    this.#report = { timestamp, unixMs };
  }

  /** Notes a packet; a frame counts with its first one. */
  noteArrival(timestamp: number, unixMs: number): void {
    const ahead = this.#newest === null ? 1 : timestampDistance(this.#newest, timestamp);
    const stepped = (-ahead / this.#clockRate) * 1000 > stepMs;
    if (ahead <= 0 && !stepped) return;
    this.#newest = timestamp;
    if (stepped) {
      this.#report = null;
      this.#delays = [];
    }
    if (this.#report === null) return;
    const sinceReportMs = (timestampDistance(this.#report.timestamp, timestamp) / this.#clockRate) * 1000;
    this.#delays.push(unixMs - this.#report.unixMs - sinceReportMs);
    if (this.#delays.length > window) this.#delays.shift();
  }
}
