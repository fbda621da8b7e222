import { hostname, networkInterfaces } from 'node:os';

/** The addresses of one interface of this machine. */
export interface InterfaceAddresses {
  readonly name: string;
  readonly mac: string;
  readonly isLoopback: boolean;
  /** IPv4 and IPv6, without link-local IPv6 ones. */
  readonly addresses: readonly string[];
}

/** What the appliance reads about the network. */
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
