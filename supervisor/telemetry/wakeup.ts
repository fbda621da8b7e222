/** Lets a loop sleep until its next deadline or until something happens. */
export class Wakeup {
  #notified = false;
  #wake: (() => void) | null = null;

  notify(): void {
    this.#notified = true;
    this.#wake?.();
  }

  /** Resolves after `ms`, at once after `notify`, or when the signal aborts. For one waiter. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#notified && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', resolve as () => void, { once: true });
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
      signal.removeEventListener('abort', resolve as () => void);
      this.#wake = null;
    }
    this.#notified = false;
  }
}
