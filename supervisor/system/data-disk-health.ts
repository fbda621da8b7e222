import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import type { HealthReporter } from './health.ts';

/** What is watched. */
export interface DataDiskHealthOptions {
  /** Why written data is not kept; null if it is. */
  readonly trouble: () => Promise<string | null>;
  /** Called as it begins to look: a component that has not reported counts as degraded. */
  readonly register: () => HealthReporter;
  readonly log: Logger;
  /** Default 10,000. */
  readonly everyMs?: number;
}

/** Reports when the card no longer keeps what this appliance learns: otherwise no one would notice until the next start. */
export class DataDiskHealth {
  readonly #options: DataDiskHealthOptions;
  #reported: string | null = null;

  constructor(options: DataDiskHealthOptions) {
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
    const { trouble, log } = this.#options;
    const found = await trouble().catch((error: unknown) => `it cannot be checked: ${describeError(error)}`);
    if (found === null) health.ok();
    else health.degraded(found);
    if (found !== null && found !== this.#reported)
      log.error({ reason: found }, 'settings are not being saved to the card');
    this.#reported = found;
  }
}
