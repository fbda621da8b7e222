import type { Logger } from 'pino';
import { TokenBucket } from '../../common/token-bucket.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import { linkAddresses, linkChange } from './link-addresses.ts';
import { MdnsLink } from './mdns-link.ts';
import { type MdnsPacket, readPacket, type Sighting } from './mdns-packet.ts';
import { QueryPace } from './query-pace.ts';
import { serviceDomain } from './service-txt.ts';

/** An appliance found on the network, with the time its description was last heard. */
export interface FoundService extends Sighting {
  readonly seenAtMs: number;
  /** Address the packet came from. Like everything in the packet, it proves nothing. */
  readonly sender: string;
}

/** What is done with sightings. */
export interface ServiceBrowserOptions {
  readonly network: NetworkEvents;
  readonly log: Logger;
  readonly onSighting: (service: FoundService) => void;
  readonly onGoodbye: (name: string, sender: string) => void;
  /** Addresses or carriers changed; what follows was heard after it. */
  readonly onNetworkChange: () => void;
}

/**
 * Listens for `_rushlight._tcp` and asks for it, on every interface, and starts again when the network changes. Keeps no list:
 * the listener decides how long a sighting counts.
 */
export class ServiceBrowser {
  readonly #options: ServiceBrowserOptions;
  readonly #pace = new QueryPace();
  readonly #refused = new Set<string>();
  /** Packets of other machines make this one ask, but do not decide how often. */
  readonly #questions = new TokenBucket({ burst: 16, perSecond: 4 });
  readonly #hurries = new TokenBucket({ burst: 2, perSecond: 1 });

  constructor(options: ServiceBrowserOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const addresses = linkAddresses();
      await using link = new MdnsLink(addresses, this.#options.log);
      const changed = new AbortController();
      const round = AbortSignal.any([signal, changed.signal]);
      link.open((packet, sender) => this.#onPacket(link, packet, sender));
      this.#pace.hurry();
      const asking = this.#pace.run(round, () => link.query(serviceDomain, 'PTR'));
      await linkChange(addresses, this.#options.network, round);
      changed.abort();
      await asking;
      if (!signal.aborted) this.#options.onNetworkChange();
    }
  }

  /** Asks at once, and often for a while: something that was found no longer answers. */
  hurry(): void {
    if (this.#hurries.take()) this.#pace.hurry();
  }

  /** Asks rarely from now on, because everything is found. */
  relax(): void {
    this.#pace.relax();
  }

  #onPacket(link: MdnsLink, packet: MdnsPacket, sender: string): void {
    const content = readPacket(packet, sender);
    const seenAtMs = performance.now();
    for (const name of content.goodbyes) this.#options.onGoodbye(name, sender);
    for (const sighting of content.sightings) this.#options.onSighting({ ...sighting, seenAtMs, sender });
    for (const name of content.incomplete.slice(0, 8)) {
      if (this.#questions.take()) link.query(name, 'ANY');
    }
    for (const { name, reason } of content.refused) this.#noteRefused(name, reason);
  }

  #noteRefused(name: string, reason: string): void {
    if (this.#refused.has(name) || this.#refused.size >= 64) return;
    this.#refused.add(name);
    this.#options.log.warn({ service: name }, `an appliance with an invalid mDNS description: ${reason}`);
  }
}
