import type { CloseReason } from './datapath.ts';
import type { DatapathOptions } from './datapath-options.ts';

const TICK_MS = 250;
const ADDRESS_POLL_MS = 2000;

interface Ticking {
  tick(nowMs: number): void;
  close(reason: CloseReason): void;
}

/** The sessions of a datapath, and its timers: those of the sessions run while there are some. */
export class TransportSet<T extends Ticking> {
  readonly #transports = new Set<T>();
  readonly #refresh: () => void | Promise<void>;
  readonly #options: DatapathOptions;
  #tickTimer: NodeJS.Timeout | null = null;
  #pollTimer: NodeJS.Timeout | null = null;
  /** The port is not bound; this was reported once. */
  #unbound = false;

  /** @param refresh follows the machine's addresses */
  constructor(options: DatapathOptions, refresh: () => void | Promise<void>) {
    this.#options = options;
    this.#refresh = refresh;
  }

  get size(): number {
    return this.#transports.size;
  }

  /** From now on the addresses are followed. */
  listen(): void {
    this.#pollTimer ??= setInterval(() => void this.refresh(), ADDRESS_POLL_MS);
  }

  /** Follows the machine's addresses: an answer must name the current one. Never rejects. */
  async refresh(): Promise<void> {
    try {
      await this.#refresh();
      this.#unbound = false;
    } catch (error) {
      if (!this.#unbound)
        this.#options.logger.warn({ err: error }, 'the media port is not bound; trying again');
      this.#unbound = true;
    }
  }

  add(transport: T): T {
    this.#transports.add(transport);
    this.#tickTimer ??= setInterval(this.#tick, TICK_MS);
    return transport;
  }

  delete(transport: T): void {
    this.#transports.delete(transport);
    if (this.#transports.size > 0 || this.#tickTimer === null) return;
    clearInterval(this.#tickTimer);
    this.#tickTimer = null;
  }

  close(): void {
    if (this.#pollTimer !== null) clearInterval(this.#pollTimer);
    this.#pollTimer = null;
    for (const transport of [...this.#transports]) transport.close('datapath-closed');
  }

  readonly #tick = (): void => {
    const nowMs = performance.now();
    for (const transport of [...this.#transports]) transport.tick(nowMs);
  };
}
