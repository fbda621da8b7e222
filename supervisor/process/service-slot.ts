import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { describeError } from '../errors.ts';
import { decideRestart, defaultRestartPolicy, type RestartPolicy } from './restart-policy.ts';

/** A service as everything here runs: until its signal aborts. */
export type ServiceRun = (signal: AbortSignal) => Promise<void>;

export interface ServiceSlotOptions {
  /** Called with the reason when the service fails, and with null once it runs again or is no longer wanted. */
  readonly onTrouble?: (reason: string | null) => void;
  readonly policy?: RestartPolicy;
}

interface Occupant {
  readonly key: unknown;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Holds one service that depends on settings. Setting it again with an equal key leaves it alone; with another key the
 * old one is ended before the new one starts; without a service the slot becomes empty. A service that fails is started
 * again after a pause that grows. Once the slot has ended, nothing starts in it any more.
 */
export class ServiceSlot {
  readonly #name: string;
  readonly #log: Logger;
  readonly #onTrouble: (reason: string | null) => void;
  readonly #policy: RestartPolicy;
  #occupant: Occupant | null = null;
  #hasEnded = false;

  constructor(name: string, log: Logger, options: ServiceSlotOptions = {}) {
    this.#name = name;
    this.#log = log;
    this.#onTrouble = options.onTrouble ?? (() => {});
    this.#policy = options.policy ?? defaultRestartPolicy;
  }

  async set(key: unknown, run: ServiceRun | null): Promise<void> {
    if (run !== null && this.#occupant !== null && isDeepStrictEqual(this.#occupant.key, key)) return;
    await this.close();
    if (run === null || this.#hasEnded) return;
    const stop = new AbortController();
    this.#occupant = { key, stop, ended: this.#keepRunning(run, stop.signal) };
  }

  /** Ends what runs, and waits for it. */
  async close(): Promise<void> {
    const occupant = this.#occupant;
    this.#occupant = null;
    occupant?.stop.abort();
    await occupant?.ended;
  }

  /** Like `close`, for good: whatever is set later, such as by somebody who was in the middle of it, does not start. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.close();
  }

  async #keepRunning(run: ServiceRun, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const stable = setTimeout(() => this.#onTrouble(null), this.#policy.stableAfterMs);
      try {
        await run(signal);
        break;
      } catch (error) {
        const ranForMs = performance.now() - startedMs;
        const decision = decideRestart(this.#policy, failures, ranForMs, Math.random());
        failures = decision.failures;
        this.#log.error({ err: error, service: this.#name, ...decision }, 'a service ended by an error');
        if (signal.aborted) break;
        this.#onTrouble(describeError(error));
        // The only rejection is that of the signal, which the loop looks at.
        await sleep(decision.delayMs, undefined, { signal }).catch(() => {});
      } finally {
        clearTimeout(stable);
      }
    }
    this.#onTrouble(null);
  }
}
