/** A viewer that lost too much of so many packets sent at once has shown nothing yet. */
const MANY_PACKETS = 250;
const RECENT_MS = 2000;
const NOTHING_SHOWN_MS = 150;
/** One that saw the picture until now is left alone for longer: its path may be full, and most publishers make a keyframe. */
const FROZEN_MS = 3000;
const MOST_REPEATS = 3;

/**
 * When a viewer that lost too much gets the remembered keyframe once more because the publisher makes no new one, and how often. Times are
 * of one clock, in milliseconds.
 */
export class KeyframeRepeats {
  #startedMs = Number.NEGATIVE_INFINITY;
  /** Packets that were ready then. */
  #backlog = 0;
  /** Null if only a new keyframe is waited for. */
  #dueMs: number | null = null;
  #last = { keyframe: -1, times: 0 };

  get startedMs(): number {
    return this.#startedMs;
  }

  /** The viewer starts, with so many packets at once. */
  started(backlog: number, nowMs: number): void {
    this.#startedMs = nowMs;
    this.#backlog = backlog;
    this.#dueMs = null;
  }

  /** It lost too much; `keyframe` is the remembered one. */
  lost(keyframe: number | null, nowMs: number): void {
    const nothingShown = this.#backlog >= MANY_PACKETS && nowMs - this.#startedMs < RECENT_MS;
    const shownOften = keyframe === this.#last.keyframe && this.#last.times >= MOST_REPEATS;
    const patienceMs = nothingShown ? NOTHING_SHOWN_MS : FROZEN_MS;
    this.#dueMs = keyframe === null || shownOften ? null : nowMs + patienceMs;
  }

  /** Whether the remembered keyframe is to be shown now; then it counts as shown. */
  isDue(keyframe: number, nowMs: number): boolean {
    if (this.#dueMs === null || nowMs < this.#dueMs) return false;
    const times = keyframe === this.#last.keyframe ? this.#last.times + 1 : 1;
    this.#last = { keyframe, times };
    return true;
  }

  /** A new keyframe is waited for, however long. */
  wait(): void {
    this.#dueMs = null;
  }

  /** The viewer gets another track, whose keyframes have other numbers. */
  forget(): void {
    this.#last = { keyframe: -1, times: 0 };
  }
}
