import type { EventEmitter } from 'node:events';
import { Bonjour, type Service } from 'bonjour-service';
import { BrokerNotFoundError } from './errors.ts';
import type { BrokerFinder, FoundBroker } from './ports.ts';

const searchMs = 4000;
/** After the first answer others may still come; the choice must not depend on who was faster. */
const settleMs = 500;

/** What of a service announcement matters here. */
export interface AnnouncedBroker {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly secure: boolean;
}

/** Finds a broker by mDNS: `_mqtt._tcp` and `_secure-mqtt._tcp`. Rejects with BrokerNotFoundError without a network. */
export const findBrokerByMdns: BrokerFinder = async (signal) => {
  signal.throwIfAborted();
  const found: AnnouncedBroker[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onError = (cause: unknown) => reject(new BrokerNotFoundError('cannot search the network', { cause }));
  const bonjour = new Bonjour({}, onError);
  socketOf(bonjour).on('error', onError);
  const search = setTimeout(resolve, searchMs);
  const onAbort = () => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  let settle: NodeJS.Timeout | undefined;
  const add = (service: Service, secure: boolean) => {
    found.push(announced(service, secure));
    settle ??= setTimeout(resolve, settleMs);
  };
  bonjour.find({ type: 'mqtt', protocol: 'tcp' }, (service) => add(service, false));
  bonjour.find({ type: 'secure-mqtt', protocol: 'tcp' }, (service) => add(service, true));
  try {
    await promise;
  } finally {
    clearTimeout(search);
    clearTimeout(settle);
    signal.removeEventListener('abort', onAbort);
    bonjour.destroy();
  }
  signal.throwIfAborted();
  return chooseBroker(found);
};

/** The library keeps it private; without a listener an error of the socket would end the process. */
function socketOf(bonjour: Bonjour): EventEmitter {
  return (bonjour as unknown as { readonly server: { readonly mdns: EventEmitter } }).server.mdns;
}

function announced(service: Service, secure: boolean): AnnouncedBroker {
  const { name, host, port, addresses } = service;
  return { name, host, port, addresses: addresses ?? [], secure };
}

/**
 * TLS before plain, then by name, so that the same network gives the same choice. A certificate is issued for the host
 * name, so TLS goes by name; the rest by IPv4 address, which needs no mDNS in the resolver.
 */
export function chooseBroker(found: readonly AnnouncedBroker[]): FoundBroker | null {
  const [best] = [...found].sort(
    (a, b) => Number(b.secure) - Number(a.secure) || compare(a.name, b.name) || a.port - b.port,
  );
  if (best === undefined) return null;
  const host = best.host.replace(/\.$/, '');
  if (best.secure) return { name: best.name, url: `mqtts://${host}:${best.port}` };
  const address = best.addresses.find((item) => /^\d+(\.\d+){3}$/.test(item)) ?? host;
  return { name: best.name, url: `mqtt://${address}:${best.port}` };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
