/**
 * Arithmetic on RTP sequence numbers (16 bit) and timestamps (32 bit), which wrap (RFC 3550, appendix A.1).
 * "Extended" numbers are the same counted without wrapping, so that they compare and subtract as plain numbers.
 */

/** Signed distance from `from` to `to` in 16-bit arithmetic: -32768 … 32767. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** Signed distance from `from` to `to` in 32-bit arithmetic. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/**
 * The most likely extended number of `sequence`, given an extended number near it. May be negative if `near` is at the very
 * start of the count.
 */
export function extendSequence(sequence: number, near: number): number {
  return near + sequenceDistance(near & 0xffff, sequence);
}

/** Follows one stream's sequence numbers across wraps; reordered packets get their true place. */
export class SequenceUnwrapper {
  #highest: number | null = null;

  /** Extended number of `sequence`. The first one counts from 65536, so that packets late at the start stay positive. */
  unwrap(sequence: number): number {
    if (this.#highest === null) {
      this.#highest = 0x10000 + sequence;
      return this.#highest;
    }
    const extended = extendSequence(sequence, this.#highest);
    if (extended > this.#highest) this.#highest = extended;
    return extended;
  }

  get highest(): number | null {
    return this.#highest;
  }
}
