/** How a publisher is asked. */
export interface KeyframeArbiterOptions {
  /** Asks the publisher; false if there is no one to ask. */
  readonly send: () => boolean;
  /** Milliseconds. Default 1000. */
  readonly intervalMs?: number;
  readonly now?: () => number;
}

const MAX_REPETITIONS = 5;
/** A keyframe that comes this soon after a request is its answer. */
const ANSWER_MS = 1000;
/** After this many requests without an answer the publisher counts as deaf. */
const DEAF_AFTER = 3;

/**
 * Keyframe requests to a publisher: those of all viewers become one, and at most one per second is sent. A request without a
 * keyframe as its answer is repeated.
 */
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

  /** A viewer needs a keyframe. */
  request(): void {
    this.#requested++;
    this.#repetitions = 0;
    if (this.#timer === null) this.#schedule();
  }

  /** Whether this publisher makes keyframes on request: false until it did. */
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
