import type { EventEmitter } from 'node:events';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bonjour, type ServiceConfig } from 'bonjour-service';
import type { Logger } from 'pino';
import { describeError } from '../errors.ts';
import type { MdnsPacket } from './mdns-packet.ts';

/** The IPv4 address of each network interface that has a carrier, by the interface's name. */
export type LinkAddresses = ReadonlyMap<string, string>;

export type PacketListener = (packet: MdnsPacket, sender: string) => void;

/**
 * Multicast DNS on every network interface at once: one bonjour-service instance per interface, because one alone
 * sends by the default route only, and on none where there is no default route.
 */
export class MdnsLink implements AsyncDisposable {
  readonly #addresses: LinkAddresses;
  readonly #log: Logger;
  readonly #instances: Bonjour[] = [];
  #closed: Promise<void> | undefined;

  constructor(addresses: LinkAddresses, log: Logger) {
    this.#addresses = addresses;
    this.#log = log;
  }

  /** Opens the sockets. What goes wrong with one of them is logged and leaves the others alone. */
  open(onPacket: PacketListener = () => {}): void {
    for (const [name, address] of this.#addresses) {
      const log = this.#log.child({ interface: name });
      const onError = (error: unknown) => log.warn(`mDNS: ${describeError(error)}`);
      const options: SocketOptions = { interface: address, bind: '0.0.0.0' };
      const bonjour = new Bonjour(options as Partial<ServiceConfig>, onError);
      const socket = socketOf(bonjour);
      // Without this listener an error of the socket would end the process.
      socket.on('error', onError);
      socket.on('response', (packet: MdnsPacket, sender: { address: string }) =>
        onPacket(packet, sender.address),
      );
      this.#instances.push(bonjour);
    }
  }

  query(name: string, type: 'PTR' | 'ANY'): void {
    for (const bonjour of this.#instances) {
      socketOf(bonjour).query(name, type, (error: unknown) => {
        if (error) this.#log.debug(`mDNS query not sent: ${describeError(error)}`);
      });
    }
  }

  /** Announces a service and answers queries for it until the link closes. */
  publish(service: ServiceConfig): void {
    // Each instance hears the others of this process: probing would find the name taken by ourselves.
    for (const bonjour of this.#instances) bonjour.publish({ ...service, probe: false });
  }

  /** Says goodbye for what was published: it is no longer to be found (RFC 6762 section 10.1). */
  async unpublish(): Promise<void> {
    await Promise.all(
      this.#instances.map((bonjour) => new Promise<void>((resolve) => bonjour.unpublishAll(() => resolve()))),
    );
  }

  /** Closes the sockets, without a goodbye: after a change of addresses another link takes over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= Promise.all(this.#instances.map(destroyed)).then(() => undefined);
    await this.#closed;
  }
}

export function linkAddresses(): LinkAddresses {
  const addresses = new Map<string, string>();
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    const entry = entries?.find(({ family, internal }) => family === 'IPv4' && !internal);
    if (entry !== undefined) addresses.set(name, entry.address);
  }
  return addresses;
}

/**
 * Settles when addresses or carriers are no longer those given, or on abort. Node has no event for it; one look a
 * second takes a fraction of a millisecond and forks nothing.
 */
export async function linkChange(known: LinkAddresses, signal: AbortSignal): Promise<void> {
  const before = fingerprint(known);
  while (!signal.aborted && fingerprint(linkAddresses()) === before) {
    await sleep(1000, undefined, { signal }).catch(() => {
      // Aborted: the loop's condition sees it.
    });
  }
}

function fingerprint(addresses: LinkAddresses): string {
  return JSON.stringify([...addresses].toSorted());
}

/** Options that bonjour-service hands through to multicast-dns, whose types it does not publish. */
interface SocketOptions {
  readonly interface: string;
  readonly bind: string;
}

interface MdnsSocket extends EventEmitter {
  query(name: string, type: string, done: (error: unknown) => void): void;
}

/** The multicast-dns socket inside; private by its types, covered by the tests of this folder. */
function socketOf(bonjour: Bonjour): MdnsSocket {
  return (bonjour as unknown as { server: { mdns: MdnsSocket } }).server.mdns;
}

function destroyed(bonjour: Bonjour): Promise<void> {
  return new Promise((resolve) => bonjour.destroy(() => resolve()));
}
