import type { Logger } from 'pino';
import { ExclusiveRunner } from '../process/exclusive-runner.ts';
import { ApplianceError } from '../system/appliance-error.ts';

/** Limits of the queue. */
export interface TakeTurnsOptions {
  /** How long a caller waits for an answer, in milliseconds. Default: 20 s. */
  readonly patienceMs?: number;
  readonly log: Logger;
}

/**
 * The one queue for commands about takes, no matter where they come from: page, API, MQTT, record button, the link to the hub.
 * Each finds the result of the one before it, and none finds a take half begun. No caller waits endlessly for a disk that
 * hangs.
 */
export class TakeTurns {
  readonly #runner = new ExclusiveRunner();
  readonly #patienceMs: number;
  readonly #log: Logger;

  constructor({ patienceMs = 20_000, log }: TakeTurnsOptions) {
    this.#patienceMs = patienceMs;
    this.#log = log;
  }

  /**
   * For a request that is worth nothing later, such as a start: it is withdrawn if its turn does not come. Rejects with
   * TAKES_BUSY.
   */
  async soon<T>(name: string, task: () => Promise<T>): Promise<T> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), this.#patienceMs);
    let hasBegun = false;
    const begin = () => {
      hasBegun = true;
      return task();
    };
    const work = this.#runner.run(name, begin, { signal: patience.signal }).catch((error: unknown) => {
      if (hasBegun || !patience.signal.aborted) throw error;
      throw busy('It was not carried out.');
    });
    return await this.#answer(name, work, 'It may still be carried out.').finally(() => clearTimeout(timer));
  }

  /**
   * For a request that stays valid, such as a stop: it is carried out no matter how late. Rejects with TAKES_BUSY if that takes
   * long.
   */
  surely<T>(name: string, task: () => Promise<T>): Promise<T> {
    return this.#answer(
      name,
      this.#runner.run(name, task),
      'It will be carried out as soon as that is possible.',
    );
  }

  async #answer<T>(name: string, work: Promise<T>, prospect: string): Promise<T> {
    let isLate = false;
    work.catch((error: unknown) => {
      if (isLate) this.#log.warn({ err: error, command: name }, 'a late command of a take failed');
    });
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      isLate = true;
      reject(busy(prospect));
    }, this.#patienceMs);
    try {
      return await Promise.race([work, promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function busy(prospect: string): ApplianceError {
  return new ApplianceError('TAKES_BUSY', `An earlier command is still being carried out. ${prospect}`, {
    hint: 'The disk of the masters may be very slow, or broken.',
  });
}
