/** A peer of which little is known yet gets longer: the quietest known client (libjuice) is heard every 15 s. */
const UNKNOWN_FACTOR = 2;
const LONGEST_LIMIT_MS = 40_000;
const QUIET_MS = 4000;
/**
 * Signs of life after which a peer's habits count as known, if they did not all come in its first seconds: while a
 * connection is made, everybody talks.
 */
const ENOUGH_SIGNS = 5;

/**
 * Distinguishes a peer that vanished from one that is only quiet. Browsers are heard every second or two, others check their
 * path every 15 s and send no reports: what is unusual is learnt from each peer.
 */
export class Silence {
  readonly #goneMs: number;
  readonly #kind: 'answers' | 'any';
  #firstMs: number | null = null;
  #lastMs: number | null = null;
  #longestPauseMs = 0;
  #signs = 0;

  /** `goneMs` is the shortest silence after which a peer may be given up; exactly that if it answers checks of ours. */
  constructor(goneMs: number, kind: 'answers' | 'any' = 'any') {
    this.#goneMs = goneMs;
    this.#kind = kind;
  }

  get lastMs(): number | null {
    return this.#lastMs;
  }

  /** Something authentic of the peer arrived. */
  heard(nowMs: number): void {
    this.#firstMs ??= nowMs;
    if (this.#lastMs !== null) this.#longestPauseMs = Math.max(this.#longestPauseMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#signs++;
  }

  /** The connection is established: the traffic during its setup, which may take long, says nothing about what follows. */
  connected(nowMs: number): void {
    this.#firstMs = nowMs;
    this.#lastMs = nowMs;
    this.#longestPauseMs = 0;
    this.#signs = 0;
  }

  /** Quieter than ever before: packets sent now probably reach no one. */
  isQuiet(nowMs: number): boolean {
    if (this.#lastMs === null || !this.#isKnown) return false;
    return nowMs - this.#lastMs > Math.max(QUIET_MS, 1.5 * this.#longestPauseMs);
  }

  /** The peer must be given up. */
  isGone(nowMs: number): boolean {
    if (this.#lastMs === null) return false;
    if (this.#kind === 'answers') return nowMs - this.#lastMs > this.#goneMs;
    const usual = Math.min(LONGEST_LIMIT_MS, 2.5 * this.#longestPauseMs);
    const floor = this.#isKnown ? this.#goneMs : UNKNOWN_FACTOR * this.#goneMs;
    return nowMs - this.#lastMs > Math.max(floor, usual);
  }

  get #isKnown(): boolean {
    const heardForMs = (this.#lastMs ?? 0) - (this.#firstMs ?? 0);
    return this.#signs >= ENOUGH_SIGNS && heardForMs >= this.#goneMs;
  }
}
