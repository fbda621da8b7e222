/** Calls once for many events: a short time after the last one, but not later than a longer time after the first. */
export class Debouncer implements Disposable {
  readonly #quietMs: number;
  readonly #latestMs: number;
  readonly #call: () => void;
  #timer: NodeJS.Timeout | undefined;
  #firstAtMs = 0;

  constructor(quietMs: number, latestMs: number, call: () => void) {
    this.#quietMs = quietMs;
    this.#latestMs = latestMs;
    this.#call = call;
  }

  note(): void {
    const nowMs = performance.now();
    if (this.#timer === undefined) this.#firstAtMs = nowMs;
    clearTimeout(this.#timer);
    const restMs = Math.max(0, this.#firstAtMs + this.#latestMs - nowMs);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#call();
      },
      Math.min(this.#quietMs, restMs),
    );
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
