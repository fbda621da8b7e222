import type { Logger } from 'pino';
import { pause } from '../../common/pause.ts';
import type { Masters } from '../../media/index.ts';

/** Long after a start, when it disturbs no one. The result is kept until the next version. */
const firstAfterMs = 5 * 60_000;
const everyMs = 60_000;

/** When and how the machine is measured. */
export interface EncodeMeasurementOptions {
  readonly masters: Pick<Masters, 'measure'>;
  readonly log: Logger;
  /** Default: five minutes, then every minute. */
  readonly pausesMs?: { readonly first: number; readonly others: number };
}

/** Measures how fast this machine compresses what its cameras deliver, which `strategy = "auto"` is based on. */
export class EncodeMeasurement {
  readonly #options: EncodeMeasurementOptions;

  constructor(options: EncodeMeasurementOptions) {
    this.#options = options;
  }

  /** Until abort. Never rejects: a failed measurement is recorded as slow. */
  async run(signal: AbortSignal): Promise<void> {
    const { masters, log, pausesMs = { first: firstAfterMs, others: everyMs } } = this.#options;
    let pauseMs = pausesMs.first;
    let failed = false;
    while (!signal.aborted) {
      await pause(pauseMs, signal);
      pauseMs = pausesMs.others;
      if (signal.aborted) return;
      try {
        await masters.measure(signal);
      } catch (error) {
        if (!failed && !signal.aborted) log.warn({ err: error }, 'compression of masters cannot be measured');
        failed = true;
      }
    }
  }
}
