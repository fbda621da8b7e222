import type { Logger } from 'pino';
import { pause } from '../../common/pause.ts';
import type { MachineName } from '../platform/machine-name.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';

/** What is watched. */
export interface NameWatchOptions {
  readonly name: string;
  readonly machine: Pick<MachineName, 'answered' | 'askAgain'>;
  readonly log: Logger;
  readonly network: NetworkEvents;
  /** What is wrong with the name, and what to do; null if nothing is. */
  readonly onTrouble: (trouble: string | null) => void;
  /** After a change, and without one. Default 15 s, as names need a while to be agreed on, and ten minutes. */
  readonly pausesMs?: { readonly soon: number; readonly late: number };
}

/**
 * Notices where avahi answers for another name than ours, as it does where two machines have one name: the addresses on page,
 * screen and labels then lead to the other one. avahi never goes back by itself, though it may only have heard its own answer
 * late (cable and Wi-Fi on one network) or the other machine may have left: our name is asked for once before trouble is told.
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
      let trouble = await this.#look();
      if (trouble !== null && (await this.#askAgain())) {
        await pause(pausesMs.soon, signal);
        if (signal.aborted) break;
        trouble = await this.#look();
      }
      onTrouble(trouble);
    }
    unsubscribe();
    onTrouble(null);
  }

  async #askAgain(): Promise<boolean> {
    const { machine, log } = this.#options;
    try {
      await machine.askAgain();
      return true;
    } catch (error) {
      log.warn({ err: error }, 'the name of this machine could not be asked for once more');
      return false;
    }
  }

  async #look(): Promise<string | null> {
    const { name, machine } = this.#options;
    const answered = await machine.answered();
    if (answered === null || answered.toLowerCase() === name) return null;
    // mDNS does not say whose answer it was: this machine may have heard itself.
    const taken = `another machine is called ${name}, too, or cable and Wi-Fi lead to one network`;
    return `The network knows this machine as ${answered}.local: ${taken}. Give each machine its own name, use one of the two ways, or open ${answered}.local here.`;
  }
}
