import { setTimeout as sleep } from 'node:timers/promises';
import { type Masters, MastersError } from '../../media/index.ts';

const everyMs = 5000;

/** How long the disk lasts if everything is recorded, looked up now and then. */
export class RemainingTime {
  readonly #masters: Masters;
  #latest: number | null = null;

  constructor(masters: Masters) {
    this.#masters = masters;
  }

  /** Seconds; null where there is nothing to record. */
  get latest(): number | null {
    return this.#latest;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#latest = await this.#look();
      // The only rejection is that of the signal, which the loop looks at.
      await sleep(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  async #look(): Promise<number | null> {
    try {
      const seconds = await this.#masters.remainingSeconds(null);
      return seconds === null ? null : Math.floor(seconds);
    } catch (error) {
      if (error instanceof MastersError) return null; // no camera
      throw error;
    }
  }
}
