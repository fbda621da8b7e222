import { extendSequence } from './sequence.ts';
import { REFERENCE_TICKS, TICKS_PER_MS, type TransportFeedback } from './transport-feedback.ts';

/** Reported arrivals are kept for so long: a late packet is reported together with what came around it. */
const KEPT_MS = 500;
/** More packets than come in that time. A jump of the numbers is reported this far back. */
const MOST_KEPT = 4096;
/** So that a message fits into a datagram. */
const MOST_IN_MESSAGE = 400;
/** Two arrivals in a row, in ticks. */
const MOST_APART = 0x7fff;

/** When the packets of one connection arrived, until its sender has heard it. */
export class TransportArrivals {
  /** In ticks, by extended number. */
  readonly #arrivals = new Map<number, number>();
  #highest: number | null = null;
  /** The first number to report; null if there is nothing new. */
  #first: number | null = null;
  #count = 0;

  /** A packet arrived. */
  arrived(number: number, nowMs: number): void {
    // The first one counts from 65536, so that packets late at the start stay positive.
    const extended = this.#highest === null ? 0x10000 + number : extendSequence(number, this.#highest);
    if (this.#arrivals.has(extended)) return;
    const before = this.#highest ?? extended - 1;
    if (extended <= before - MOST_KEPT) return;
    this.#arrivals.set(extended, Math.floor(nowMs * TICKS_PER_MS));
    this.#highest = Math.max(before, extended);
    this.#first = Math.max(Math.min(this.#first ?? before + 1, extended), this.#highest - MOST_KEPT + 1);
  }

  /** What is new, in messages of one datagram each. */
  take(nowMs: number): Omit<TransportFeedback, 'senderSsrc' | 'mediaSsrc'>[] {
    const messages: Omit<TransportFeedback, 'senderSsrc' | 'mediaSsrc'>[] = [];
    for (let first = this.#first ?? Number.POSITIVE_INFINITY; first <= (this.#highest ?? -1); ) {
      const message = this.#messageFrom(first);
      messages.push(message);
      first += message.arrivals.length;
    }
    this.#first = null;
    this.#forget(nowMs);
    return messages;
  }

  #messageFrom(first: number): Omit<TransportFeedback, 'senderSsrc' | 'mediaSsrc'> {
    const last = Math.min(this.#highest ?? first, first + MOST_IN_MESSAGE - 1);
    const arrivals: (number | null)[] = [];
    let reference: number | null = null;
    let before: number | null = null;
    for (let number = first; number <= last; number++) {
      const at = this.#arrivals.get(number) ?? null;
      if (at !== null && before !== null && Math.abs(at - before) > MOST_APART) break;
      before = at ?? before;
      if (at !== null) reference ??= Math.floor(at / REFERENCE_TICKS);
      arrivals.push(at === null || reference === null ? null : at - reference * REFERENCE_TICKS);
    }
    return {
      count: this.#count++ & 0xff,
      first: first & 0xffff,
      reference: (reference ?? 0) & 0xffffff,
      arrivals,
    };
  }

  #forget(nowMs: number): void {
    const oldest = (nowMs - KEPT_MS) * TICKS_PER_MS;
    for (const [number, at] of this.#arrivals) {
      if (at < oldest || number <= (this.#highest ?? 0) - MOST_KEPT) this.#arrivals.delete(number);
    }
  }
}
