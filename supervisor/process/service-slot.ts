import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';

/** A service as everything here runs: until its signal aborts. */
export type ServiceRun = (signal: AbortSignal) => Promise<void>;

interface Occupant {
  readonly key: unknown;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Holds one service that depends on settings. Setting it again with an equal key leaves it alone; with another key the
 * old one is ended before the new one starts; without a service the slot becomes empty.
 */
export class ServiceSlot {
  readonly #name: string;
  readonly #log: Logger;
  #occupant: Occupant | null = null;

  constructor(name: string, log: Logger) {
    this.#name = name;
    this.#log = log;
  }

  async set(key: unknown, run: ServiceRun | null): Promise<void> {
    if (run !== null && this.#occupant !== null && isDeepStrictEqual(this.#occupant.key, key)) return;
    await this.close();
    if (run === null) return;
    const stop = new AbortController();
    const ended = run(stop.signal).catch((error: unknown) => {
      this.#log.error({ err: error, service: this.#name }, 'a service ended by an error');
    });
    this.#occupant = { key, stop, ended };
  }

  /** Ends what runs, and waits for it. */
  async close(): Promise<void> {
    const occupant = this.#occupant;
    this.#occupant = null;
    occupant?.stop.abort();
    await occupant?.ended;
  }
}
