import type { Bonjour, ServiceConfig } from 'bonjour-service';
import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { openBonjour, socketOf } from './bonjour.ts';
import type { LinkAddresses } from './link-addresses.ts';
import type { MdnsPacket } from './mdns-packet.ts';

/** Gets each packet and the address of its sender. */
export type PacketListener = (packet: MdnsPacket, sender: string) => void;

/**
 * Multicast DNS on every network interface at once: one bonjour-service instance per interface, because a single one sends only
 * by the default route, and on no interface if there is no default route.
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

  /** Opens the sockets. An error of one of them is logged and does not affect the others. */
  open(onPacket: PacketListener = () => {}): void {
    for (const [name, address] of this.#addresses) {
      const log = this.#log.child({ interface: name });
      const onError = (error: unknown) => log.warn(`mDNS: ${describeError(error)}`);
      const bonjour = openBonjour(address, onError);
      socketOf(bonjour).on('response', (packet: MdnsPacket, sender: { address: string }) =>
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
    // Each instance receives the others of this process: probing would find our own announcement and take the name for used.
    for (const bonjour of this.#instances) bonjour.publish({ ...service, probe: false });
  }

  /** Says goodbye for what was published: it is no longer available (RFC 6762 section 10.1). */
  async unpublish(): Promise<void> {
    await Promise.all(
      this.#instances.map((bonjour) => new Promise<void>((resolve) => bonjour.unpublishAll(() => resolve()))),
    );
  }

  /** Closes the sockets without a goodbye: after a change of addresses another link takes over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= Promise.all(this.#instances.map(destroyed)).then(() => undefined);
    await this.#closed;
  }
}

function destroyed(bonjour: Bonjour): Promise<void> {
  return new Promise((resolve) => bonjour.destroy(() => resolve()));
}
