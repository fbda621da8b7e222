import { BlockList, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Service } from 'bonjour-service';
import { describeError } from '../../common/errors.ts';
import { openBonjour } from '../discovery/index.ts';
import { BrokerNotFoundError } from './errors.ts';
import type { BrokerFinder, FoundBroker } from './ports.ts';

const searchMs = 4000;
/** After the first answer others may still come; the choice must not depend on which was faster. */
const settleMs = 500;

/** The used part of a service announcement. */
export interface AnnouncedBroker {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly secure: boolean;
}

/**
 * Finds brokers by mDNS: `_mqtt._tcp` and `_secure-mqtt._tcp`. It asks on every interface, because a single socket sends only
 * by the default route. Rejects with BrokerNotFoundError without a network.
 */
export const findBrokersByMdns: BrokerFinder = async (signal) => {
  signal.throwIfAborted();
  const links = ipv4Links();
  if (links.length === 0) throw new BrokerNotFoundError('cannot search: this machine is in no network');
  const found: AnnouncedBroker[] = [];
  const failures: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const search = setTimeout(resolve, searchMs);
  signal.addEventListener('abort', () => resolve(), { once: true });
  let settle: NodeJS.Timeout | undefined;
  const add = (service: Service, secure: boolean) => {
    found.push(announced(service, secure, links));
    settle ??= setTimeout(resolve, settleMs);
  };
  const browsers = links.map(({ address }) => {
    const onError = (cause: unknown) => {
      failures.push(cause);
      if (failures.length >= links.length) resolve();
    };
    const bonjour = openBonjour(address, onError);
    bonjour.find({ type: 'mqtt', protocol: 'tcp' }, (service) => add(service, false));
    bonjour.find({ type: 'secure-mqtt', protocol: 'tcp' }, (service) => add(service, true));
    return bonjour;
  });
  await promise;
  clearTimeout(search);
  clearTimeout(settle);
  for (const bonjour of browsers) bonjour.destroy();
  signal.throwIfAborted();
  if (found.length === 0 && failures.length >= links.length) {
    const [cause] = failures;
    throw new BrokerNotFoundError(`cannot search the network: ${describeError(cause)}`, { cause });
  }
  return rankBrokers(found);
};

/** An address of ours, with its prefix length in CIDR notation. */
export interface Ipv4Link {
  readonly address: string;
  readonly cidr: string;
}

function ipv4Links(): Ipv4Link[] {
  return Object.values(networkInterfaces()).flatMap((entries) => {
    const entry = entries?.find(({ family, internal }) => family === 'IPv4' && !internal);
    return entry === undefined ? [] : [{ address: entry.address, cidr: entry.cidr ?? `${entry.address}/32` }];
  });
}

function announced(service: Service, secure: boolean, links: readonly Ipv4Link[]): AnnouncedBroker {
  const { name, host, port, addresses = [] } = service;
  return { name, host, port, addresses: nearestFirst(addresses, links), secure };
}

/** A broker with several networks lists them all: those in a network of ours come first. Pure. */
export function nearestFirst(addresses: readonly string[], links: readonly Ipv4Link[]): string[] {
  const near = new BlockList();
  for (const { cidr } of links) {
    const [network = '', prefix = '32'] = cidr.split('/');
    near.addSubnet(network, Number(prefix), 'ipv4');
  }
  const isNear = (address: string) => isIPv4(address) && near.check(address, 'ipv4');
  return addresses.toSorted((a, b) => Number(isNear(b)) - Number(isNear(a)));
}

/**
 * TLS before plain, then by name, so that the same network gives the same order. A certificate is issued for the host name, so
 * TLS uses the name; plain connections use the IPv4 address, which needs no mDNS in the resolver. Pure.
 */
export function rankBrokers(found: readonly AnnouncedBroker[]): FoundBroker[] {
  const ranked = found
    .filter(isPlausible)
    .toSorted((a, b) => Number(b.secure) - Number(a.secure) || compare(a.name, b.name) || a.port - b.port);
  const brokers = ranked.map(({ name, host: announcedHost, port, addresses, secure }): FoundBroker => {
    const host = announcedHost.replace(/\.$/, '');
    const address = addresses.find(isIPv4) ?? host;
    return { name, host, url: secure ? `mqtts://${host}:${port}` : `mqtt://${address}:${port}` };
  });
  return brokers.filter(({ url }, index) => brokers.findIndex((other) => other.url === url) === index);
}

/** Anyone on the network may announce anything; a text that is no host name does not belong in an address. */
function isPlausible({ host, port }: AnnouncedBroker): boolean {
  return /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/.test(host) && port > 0 && port < 65_536;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
