/**
 * Keyframe requests to a publisher: those of all viewers become one, and at most one a second leaves. A request
 * that is not answered by a keyframe is repeated.
 */

export interface KeyframeArbiterOptions {
  /** Asks the publisher; false where there is nobody who could be asked. */
  readonly send: () => boolean;
  /** Default 1000. */
  readonly intervalMs?: number;
  readonly now?: () => number;
}

const MAX_REPETITIONS = 5;
/** A keyframe that comes so soon after a request is its answer. */
const ANSWER_MS = 1000;
/** So many requests without an answer, and the publisher counts as deaf. */
const DEAF_AFTER = 3;

export class KeyframeArbiter implements Disposable {
  readonly #send: () => boolean;
  readonly #intervalMs: number;
  readonly #now: () => number;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #repetitions = 0;
  #timer: NodeJS.Timeout | null = null;
  #requested = 0;
  #sent = 0;
  /** The request that waits for its keyframe, and how many in a row got none. */
  #openSinceMs: number | null = null;
  #unanswered = 0;
  #answered = false;

  constructor(options: KeyframeArbiterOptions) {
    this.#send = options.send;
    this.#intervalMs = options.intervalMs ?? 1000;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Somebody needs a keyframe. */
  request(): void {
    this.#requested++;
    this.#repetitions = 0;
    if (this.#timer === null) this.#schedule();
  }

  /** Whether this publisher makes keyframes when it is asked: false until it did. */
  get isAnswered(): boolean {
    return this.#answered;
  }

  /** Another publisher is asked from now on. */
  forget(): void {
    this.#openSinceMs = null;
    this.#unanswered = 0;
    this.#answered = false;
  }

  /** A keyframe arrived: open requests are answered. */
  answered(): void {
    if (this.#openSinceMs !== null && this.#now() - this.#openSinceMs < ANSWER_MS) {
      this.#answered = true;
      this.#unanswered = 0;
    }
    this.#openSinceMs = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Requests of viewers, and those that were passed on. */
  get counts(): { readonly requested: number; readonly sent: number } {
    return { requested: this.#requested, sent: this.#sent };
  }

  [Symbol.dispose](): void {
    this.answered();
  }

  #schedule(): void {
    const waitMs = Math.max(0, this.#lastSentMs + this.#intervalMs - this.#now());
    if (waitMs === 0) this.#fire();
    else this.#timer = setTimeout(() => this.#fire(), waitMs);
  }

  #fire(): void {
    this.#timer = null;
    if (!this.#send()) return;
    this.#sent++;
    this.#lastSentMs = this.#now();
    if (this.#openSinceMs !== null && ++this.#unanswered >= DEAF_AFTER) this.#answered = false;
    this.#openSinceMs = this.#lastSentMs;
    if (this.#repetitions++ < MAX_REPETITIONS) this.#timer = setTimeout(() => this.#fire(), this.#intervalMs);
  }
}
