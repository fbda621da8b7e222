import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import { type Masters, MastersError } from '../../media/index.ts';

/** What is watched. */
export interface RemainingTimeOptions {
  readonly masters: Pick<Masters, 'remainingSeconds'>;
  readonly log: Logger;
  /** Default 5000. */
  readonly everyMs?: number;
}

/** How long the disk lasts if everything is recorded, measured from time to time. */
export class RemainingTime {
  readonly #options: RemainingTimeOptions;
  #latest: number | null = null;
  #failure: string | null = null;

  constructor(options: RemainingTimeOptions) {
    this.#options = options;
  }

  /** Seconds; null if there is nothing to record, or the disk does not answer. */
  get latest(): number | null {
    return this.#latest;
  }

  /** Until abort. Never rejects: a disk may be pulled while it is being read. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs = 5000 } = this.#options;
    while (!signal.aborted) {
      this.#latest = await this.#look();
      await pause(everyMs, signal);
    }
  }

  async #look(): Promise<number | null> {
    const { masters, log } = this.#options;
    try {
      const seconds = await masters.remainingSeconds(null);
      this.#failure = null;
      return seconds === null ? null : Math.floor(seconds);
    } catch (error) {
      if (error instanceof MastersError) return null; // no camera
      const failure = describeError(error);
      if (failure !== this.#failure) log.warn({ err: error }, 'the disk does not report how much fits on it');
      this.#failure = failure;
      return null;
    }
  }
}
