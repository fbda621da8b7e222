/** Less than this between two looks is background noise: 1 MiB in sectors. */
const noiseSectors = 2048;

/** Reports when an installation has been silent and inactive for too long. */
export class StallWatch implements AsyncDisposable {
  readonly #stallMs: number;
  readonly #activity: () => Promise<number>;
  readonly #stalled = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #lastMs = performance.now();
  #last: number | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(stallMs: number, activity: () => Promise<number>) {
    this.#stallMs = stallMs;
    this.#activity = activity;
  }

  start(): this {
    this.#lastMs = performance.now();
    this.#timer = setInterval(() => {
      this.#looking = this.#look();
    }, this.#stallMs / 10);
    return this;
  }

  get stalled(): AbortSignal {
    return this.#stalled.signal;
  }

  noteProgress(): void {
    this.#lastMs = performance.now();
  }

  async #look(): Promise<void> {
    const now = await this.#activity();
    if (this.#last === null || now - this.#last >= noiseSectors) {
      if (this.#last !== null) this.noteProgress();
      this.#last = now;
    }
    if (performance.now() - this.#lastMs >= this.#stallMs) this.#stalled.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }
}
