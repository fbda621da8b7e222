import type { Logger } from 'pino';
import type { ChildHost } from '../../common/child-host.ts';
import { SupervisedChild } from '../process/supervised-child.ts';

/** Reports that something about the network changed; the listener looks up what. */
export interface NetworkEvents {
  /** Returns the function that stops it. */
  subscribe(listener: () => void): () => void;
}

/** Where changes come from. */
export interface NetworkMonitorOptions {
  readonly host: ChildHost;
  readonly log: Logger;
  /** Default `ip`. */
  readonly program?: string;
}

/** A replaced address arrives as several events. */
const gatherMs = 30;
/** Without the kernel's events, listeners are called this often. */
const lookEveryMs = 1000;

/**
 * Interfaces, carriers and addresses that come and go, as the kernel reports them over netlink: by one long-lived `ip monitor`,
 * because Node has no netlink. While it does not run, every second counts as a change.
 */
export class NetworkMonitor implements NetworkEvents {
  readonly #options: NetworkMonitorOptions;
  readonly #listeners = new Set<() => void>();
  #gathering: NodeJS.Timeout | null = null;
  #blind: NodeJS.Timeout | null = null;

  constructor(options: NetworkMonitorOptions) {
    this.#options = options;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Watches until abort. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, log, program = 'ip' } = this.#options;
    const monitor = new SupervisedChild({
      host,
      logger: log,
      spec: {
        name: 'network-monitor',
        argv: [program, '-o', 'monitor', 'link', 'address'],
        stopTimeoutMs: 1000,
      },
      onLine: ({ text }) => {
        if (isNetworkEvent(text)) this.#tellSoon();
      },
      onState: ({ phase }) => this.#watchBlindly(phase !== 'running' && !signal.aborted),
    });
    await monitor.run(signal);
    this.#watchBlindly(false);
    if (this.#gathering !== null) clearTimeout(this.#gathering);
  }

  #watchBlindly(blind: boolean): void {
    // Changes from before it ran, or while it did not, are found once it does.
    if (!blind) this.#tellSoon();
    if (blind) {
      this.#blind ??= setInterval(() => this.#tellSoon(), lookEveryMs);
    } else if (this.#blind !== null) {
      clearInterval(this.#blind);
      this.#blind = null;
    }
  }

  #tellSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      for (const listener of [...this.#listeners]) listener();
    }, gatherMs);
  }
}

/** A line of `ip -o monitor` about a link or an address, such as `2: eth0    inet 192.0.2.7/24 …`. */
export function isNetworkEvent(line: string): boolean {
  return /^(?:\[[A-Z]+\])?(?:Deleted )?\d+: \S/.test(line);
}
