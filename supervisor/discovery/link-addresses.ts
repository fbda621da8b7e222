import { networkInterfaces } from 'node:os';
import type { NetworkEvents } from '../platform/network-monitor.ts';

/** The IPv4 address of each network interface that has a carrier, by the interface's name. */
export type LinkAddresses = ReadonlyMap<string, string>;

/** Reads them now. */
export function linkAddresses(): LinkAddresses {
  const addresses = new Map<string, string>();
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    const entry = entries?.find(({ family, internal }) => family === 'IPv4' && !internal);
    if (entry !== undefined) addresses.set(name, entry.address);
  }
  return addresses;
}

/** Calls back when addresses or carriers change. Returns the function that stops it. */
export function followLinks(
  network: NetworkEvents,
  listener: () => void,
  known: LinkAddresses = linkAddresses(),
): () => void {
  let before = fingerprint(known);
  return network.subscribe(() => {
    const now = fingerprint(linkAddresses());
    if (now === before) return;
    before = now;
    listener();
  });
}

/** Settles when addresses or carriers differ from those given, or on abort. */
export async function linkChange(
  known: LinkAddresses,
  network: NetworkEvents,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => resolve();
  const unsubscribe = followLinks(network, done, known);
  signal.addEventListener('abort', done, { once: true });
  // It may have changed before the listener was there.
  if (signal.aborted || fingerprint(linkAddresses()) !== fingerprint(known)) done();
  await promise;
  signal.removeEventListener('abort', done);
  unsubscribe();
}

function fingerprint(addresses: LinkAddresses): string {
  return JSON.stringify([...addresses].toSorted());
}
