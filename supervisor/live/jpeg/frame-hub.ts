import type { FrameWatch } from '../../contract/ports.ts';

/**
 * Gives the newest frame of a feed to every client. Clients ask when they have room: a slow one skips frames, no frame waits in
 * a queue, and no client slows another.
 */
export class FrameHub {
  readonly #onWatchers: (count: number) => void;
  readonly #watches = new Set<object>();
  readonly #waiting = new Set<() => void>();
  #newest: Buffer | null = null;
  #number = 0;

  /** @param onWatchers called whenever a client joins or leaves */
  constructor(onWatchers: (count: number) => void = () => {}) {
    this.#onWatchers = onWatchers;
  }

  get watchers(): number {
    return this.#watches.size;
  }

  publish(frame: Buffer): void {
    this.#newest = frame;
    this.#number += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /** The newest frame is out of date: a client that comes now waits for the next one. */
  forget(): void {
    this.#newest = null;
  }

  watch(): FrameWatch {
    const watch = {};
    let seen = 0;
    this.#watches.add(watch);
    this.#onWatchers(this.#watches.size);
    return {
      next: async (signal) => {
        while (!signal.aborted) {
          if (this.#newest !== null && this.#number > seen) {
            seen = this.#number;
            return this.#newest;
          }
          await this.#change(signal);
        }
        return null;
      },
      [Symbol.dispose]: () => {
        if (this.#watches.delete(watch)) this.#onWatchers(this.#watches.size);
      },
    };
  }

  /** Settles with the next frame, or with the signal. */
  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    signal.removeEventListener('abort', wake);
    this.#waiting.delete(wake);
  }
}
