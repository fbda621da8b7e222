/** What a receiver report says about one stream (RFC 3550, appendices A.3 and A.8). */
import type { ReportBlock } from './rtcp.ts';
import { SequenceUnwrapper, timestampDistance } from './sequence.ts';

/** A larger change of the transit time is a change of the sender's timestamps. */
const MAX_CHANGE_S = 8;

/** Counts what arrives of one stream. */
export class ReceptionStats {
  readonly ssrc: number;
  readonly #clockRate: number;
  readonly #unwrapper = new SequenceUnwrapper();
  #base = 0;
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #jitter = 0;
  #lastTransit: number | null = null;
  #senderReport: { middle: number; atMs: number } | null = null;

  constructor(ssrc: number, clockRate: number) {
    this.ssrc = ssrc;
    this.#clockRate = clockRate;
  }

  /** Notes a packet and gives its extended sequence number. */
  arrived(sequence: number, timestamp: number, nowMs: number): number {
    const extended = this.#unwrapper.unwrap(sequence);
    if (this.#received === 0) this.#base = extended;
    this.#received++;
    const arrival = Math.round((nowMs * this.#clockRate) / 1000);
    const transit = (arrival - timestamp) | 0;
    if (this.#lastTransit !== null) {
      const change = Math.abs(timestampDistance(this.#lastTransit, transit));
      // A step of the time line is no jitter.
      if (change < MAX_CHANGE_S * this.#clockRate) this.#jitter += (change - this.#jitter) / 16;
    }
    this.#lastTransit = transit;
    return extended;
  }

  noteSenderReport(middle: number, nowMs: number): void {
    this.#senderReport = { middle, atMs: nowMs };
  }

  get lostTotal(): number {
    return Math.max(0, this.#expected - this.#received);
  }

  /** Packets sent since the first that arrived, by their numbers. */
  get expectedTotal(): number {
    return this.#expected;
  }

  /** The next report; the loss ratio covers the time since the last call. */
  report(nowMs: number): ReportBlock {
    const expected = this.#expected - this.#expectedBefore;
    const received = this.#received - this.#receivedBefore;
    this.#expectedBefore = this.#expected;
    this.#receivedBefore = this.#received;
    const sender = this.#senderReport;
    return {
      ssrc: this.ssrc,
      lossRatio: expected > 0 ? Math.max(0, (expected - received) / expected) : 0,
      lostTotal: this.#expected - this.#received,
      highestSequence: (this.#unwrapper.highest ?? 0) - 0x10000,
      jitter: Math.round(this.#jitter),
      lastReport: sender?.middle ?? 0,
      delaySinceLastReport: sender === null ? 0 : Math.round(((nowMs - sender.atMs) / 1000) * 65536),
    };
  }

  get #expected(): number {
    const highest = this.#unwrapper.highest;
    return highest === null ? 0 : highest - this.#base + 1;
  }
}
