import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { type KeepRunningOptions, keepRunning, type ServiceRun } from './keep-running.ts';

export type { ServiceRun } from './keep-running.ts';

interface Occupant {
  readonly key: unknown;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Holds one service that depends on settings. Setting it again with an equal key leaves it alone; with another key the old one
 * is ended before the new one starts; without a service the slot becomes empty. A service that fails is started again after a
 * pause that grows. Once the slot has ended, nothing starts in it any more.
 */
export class ServiceSlot {
  readonly #options: KeepRunningOptions;
  #occupant: Occupant | null = null;
  #hasEnded = false;

  constructor(name: string, log: Logger, options: Partial<KeepRunningOptions> = {}) {
    this.#options = { ...options, name, log };
  }

  async set(key: unknown, run: ServiceRun | null): Promise<void> {
    if (run !== null && this.#occupant !== null && isDeepStrictEqual(this.#occupant.key, key)) return;
    await this.close();
    if (run === null || this.#hasEnded) return;
    const stop = new AbortController();
    this.#occupant = { key, stop, ended: keepRunning(run, this.#options, stop.signal) };
  }

  /** Ends the running service, and waits for it. */
  async close(): Promise<void> {
    const occupant = this.#occupant;
    this.#occupant = null;
    occupant?.stop.abort();
    await occupant?.ended;
  }

  /** Like `close`, for good: nothing that is set later, such as by a caller that was in the middle of it, starts. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.close();
  }
}
