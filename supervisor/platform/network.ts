import { hostname, networkInterfaces } from 'node:os';
import { isDeepStrictEqual } from 'node:util';

/** The addresses of one interface of this machine. */
export interface InterfaceAddresses {
  readonly name: string;
  readonly mac: string;
  readonly isLoopback: boolean;
  /** IPv4 and IPv6, without link-local IPv6 ones. */
  readonly addresses: readonly string[];
}

/** What of the network the appliance looks at. */
export interface Network {
  readonly hostName: string;
  interfaces(): readonly InterfaceAddresses[];
}

/** The network of this machine. */
export const systemNetwork: Network = {
  get hostName() {
    return hostname();
  },
  interfaces() {
    return Object.entries(networkInterfaces())
      .map(([name, entries = []]) => ({
        name,
        mac: entries[0]?.mac ?? '',
        isLoopback: entries.some(({ internal }) => internal),
        addresses: entries.map(({ address }) => address).filter((address) => !/^fe80:/i.test(address)),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  },
};

export interface NetworkWatchOptions {
  readonly network: Network;
  readonly onChange: (interfaces: readonly InterfaceAddresses[]) => void;
  /** Default 2000; one look is a system call of some 50 µs and forks nothing. */
  readonly pollMs?: number;
}

/** Tells of changed addresses until the signal. */
export async function watchNetwork(
  { network, onChange, pollMs = 2000 }: NetworkWatchOptions,
  signal: AbortSignal,
) {
  let last = network.interfaces();
  const timer = setInterval(() => {
    const now = network.interfaces();
    if (isDeepStrictEqual(now, last)) return;
    last = now;
    onChange(now);
  }, pollMs);
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  clearInterval(timer);
}
