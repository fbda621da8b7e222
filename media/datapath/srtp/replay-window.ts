/** Rejects packets seen before and packets too old to judge (RFC 3711, section 3.3.2). */
export class ReplayWindow {
  readonly #seen: Float64Array;
  readonly #floor: number;
  #highest: number;

  /** `size` is how many indices behind the highest are still distinguished; up to `seen` all count as seen. */
  constructor(size: number, seen = -1) {
    this.#highest = seen;
    this.#floor = seen;
    this.#seen = new Float64Array(size).fill(-1);
  }

  /** True if `index` may be accepted; does not note it. */
  admits(index: number): boolean {
    if (index <= this.#floor || index <= this.#highest - this.#seen.length) return false;
    return this.#seen[index % this.#seen.length] !== index;
  }

  /** Notes an authenticated index. */
  accept(index: number): void {
    this.#seen[index % this.#seen.length] = index;
    if (index > this.#highest) this.#highest = index;
  }

  /** -1 before the first. */
  get highest(): number {
    return this.#highest;
  }
}
