import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import type { HealthReporter } from './health.ts';

/** What is watched. */
export interface TroubleWatchOptions {
  /** What is wrong, as a sentence; null if nothing is. A rejection counts as trouble, too. */
  readonly trouble: () => Promise<string | null>;
  /** Called as it begins to look: a component that has not reported counts as degraded. */
  readonly register: () => HealthReporter;
  /** The line that the log gets with each new trouble. */
  readonly logLine: string;
  readonly log: Logger;
  /** Between two looks, in milliseconds. Default 10,000. */
  readonly everyMs?: number;
}

/** Looks for one kind of trouble again and again, such as a failing disk, and reports it to the health and to the log. */
export class TroubleWatch {
  readonly #options: TroubleWatchOptions;
  #reported: string | null = null;

  constructor(options: TroubleWatchOptions) {
    this.#options = options;
  }

  /** Until abort. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs = 10_000 } = this.#options;
    using health = this.#options.register();
    while (!signal.aborted) {
      await this.#look(health);
      await pause(everyMs, signal);
    }
  }

  async #look(health: HealthReporter): Promise<void> {
    const { trouble, log, logLine } = this.#options;
    const reason = await trouble().catch((error: unknown) => `it cannot be checked: ${describeError(error)}`);
    if (reason === null) health.ok();
    else health.degraded(reason);
    if (reason !== null && reason !== this.#reported) log.error({ reason }, logLine);
    this.#reported = reason;
  }
}
