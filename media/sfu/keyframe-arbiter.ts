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

export class KeyframeArbiter implements Disposable {
  readonly #send: () => boolean;
  readonly #intervalMs: number;
  readonly #now: () => number;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #repetitions = 0;
  #timer: NodeJS.Timeout | null = null;
  #requested = 0;
  #sent = 0;

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

  /** A keyframe arrived: open requests are answered. */
  answered(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The publisher was asked and did not answer: it is deaf, or gone. */
  get unanswered(): boolean {
    return this.#repetitions > 1;
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
    if (this.#repetitions++ < MAX_REPETITIONS) this.#timer = setTimeout(() => this.#fire(), this.#intervalMs);
  }
}
