/**
 * Tells a peer that vanished from one that is merely laconic. Browsers are heard every second or two, others check
 * their path every 15 s and send no reports: what is unusual is learnt from each peer.
 */

/** A peer of which nothing is known yet may be as quiet as the quietest client known (libjuice: 15 s). */
const UNKNOWN_LIMIT_MS = 20_000;
const LONGEST_LIMIT_MS = 40_000;
const QUIET_MS = 4000;
/** Signs of life after which a peer's habits count as known. */
const ENOUGH_SIGNS = 5;

export class Silence {
  readonly #goneMs: number;
  #lastMs: number | null = null;
  #longestPauseMs = 0;
  #signs = 0;

  /** `goneMs` is the shortest silence after which a peer may be given up. */
  constructor(goneMs: number) {
    this.#goneMs = goneMs;
  }

  get lastMs(): number | null {
    return this.#lastMs;
  }

  /** Something authentic of the peer arrived. */
  heard(nowMs: number): void {
    if (this.#lastMs !== null) this.#longestPauseMs = Math.max(this.#longestPauseMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#signs++;
  }

  /** Quieter than ever before: what is sent now probably reaches nobody. */
  isQuiet(nowMs: number): boolean {
    if (this.#lastMs === null || this.#signs < ENOUGH_SIGNS) return false;
    return nowMs - this.#lastMs > Math.max(QUIET_MS, 1.5 * this.#longestPauseMs);
  }

  /** The peer is to be given up. */
  isGone(nowMs: number): boolean {
    if (this.#lastMs === null) return false;
    const usual = Math.min(LONGEST_LIMIT_MS, 2.5 * this.#longestPauseMs);
    const floor = this.#signs < ENOUGH_SIGNS ? Math.max(this.#goneMs, UNKNOWN_LIMIT_MS) : this.#goneMs;
    return nowMs - this.#lastMs > Math.max(floor, usual);
  }
}
