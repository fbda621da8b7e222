/** The one job that is under way, such as an installation. */
export class Work {
  #current: { readonly cancel: AbortController; readonly done: Promise<void> } | null = null;

  get isBusy(): boolean {
    return this.#current !== null;
  }

  /** Settles when the running job has ended; at once if there is none. */
  get done(): Promise<void> {
    return this.#current?.done ?? Promise.resolve();
  }

  /** Begins; `onEnd` gets the error it ended with, or null. The signal aborts with `lifetime` and by `cancel`. */
  start(
    lifetime: AbortSignal,
    task: (signal: AbortSignal) => Promise<void>,
    onEnd: (error: unknown) => Promise<void>,
  ): void {
    const cancel = new AbortController();
    const signal = AbortSignal.any([lifetime, cancel.signal]);
    const ended = task(signal).then(
      () => onEnd(null),
      (error: unknown) => onEnd(error),
    );
    const current = {
      cancel,
      done: ended.finally(() => {
        if (this.#current === current) this.#current = null;
      }),
    };
    this.#current = current;
  }

  async cancel(): Promise<void> {
    this.#current?.cancel.abort();
    await this.#current?.done;
  }
}
