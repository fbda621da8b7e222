import { pause } from '../../common/pause.ts';
import type { MachineName } from '../platform/machine-name.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';

/** What is watched. */
export interface NameWatchOptions {
  readonly name: string;
  readonly machine: Pick<MachineName, 'answered'>;
  readonly network: NetworkEvents;
  /** What is wrong with the name, and what to do; null if nothing is. */
  readonly onTrouble: (trouble: string | null) => void;
  /** After a change, and without one. Default 15 s, as names need a while to be agreed on, and ten minutes. */
  readonly pausesMs?: { readonly soon: number; readonly late: number };
}

/**
 * Notices where avahi answers for another name than ours, as it does where two machines have one name: the addresses on page,
 * screen and labels then lead to the other one.
 */
export class NameWatch {
  readonly #options: NameWatchOptions;

  constructor(options: NameWatchOptions) {
    this.#options = options;
  }

  /** Until abort. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { network, onTrouble, pausesMs = { soon: 15_000, late: 600_000 } } = this.#options;
    let waiting = new AbortController();
    let hasChanged = true;
    const unsubscribe = network.subscribe(() => {
      hasChanged = true;
      waiting.abort();
    });
    while (!signal.aborted) {
      if (!hasChanged) await pause(pausesMs.late, AbortSignal.any([signal, waiting.signal]));
      hasChanged = false;
      waiting = new AbortController();
      await pause(pausesMs.soon, signal);
      if (signal.aborted) break;
      onTrouble(await this.#look());
    }
    unsubscribe();
    onTrouble(null);
  }

  async #look(): Promise<string | null> {
    const { name, machine } = this.#options;
    const answered = await machine.answered();
    if (answered === null || answered.toLowerCase() === name) return null;
    return `The network knows this machine as ${answered}.local: another one is called ${name}, too. Give each its own name, or open ${answered}.local here.`;
  }
}
