import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { aborted } from '../discovery/aborted.ts';
import type { Sighting } from '../discovery/mdns-packet.ts';
import { type FoundService, ServiceBrowser } from '../discovery/service-browser.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import { chooseAddress, chooseHub, hubUrl, type KnownHub } from './hub-choice.ts';

/** Where a camera's hub is. */
export interface HubCandidate {
  /** Id of the hub's TXT record; `static` where the URL is set by hand. */
  readonly id: string;
  readonly name: string;
  /** Base URL without a slash at its end. */
  readonly url: string;
  /** The same at the other addresses it announces. */
  readonly otherUrls: readonly string[];
  /** SHA-256 of the certificate it announces, 64 lower-case hex digits. An announcement proves nothing: pin it. */
  readonly tlsFingerprint: string | null;
  readonly via: 'static' | 'mdns';
  /** Why this one, for people. */
  readonly reason: string;
}

export interface HubLocatorOptions {
  /** `camera.hub` of the settings: an URL, or `auto` for mDNS. */
  readonly override: string;
  /** Id of the hub that adopted this camera. */
  readonly pinnedId?: string | null;
  readonly network: NetworkEvents;
  readonly log: Logger;
}

interface Remembered extends KnownHub {
  readonly failedAddresses: Set<string>;
}

interface Located {
  readonly hub: HubCandidate;
  readonly address: string;
  readonly fresh: boolean;
}

const gatherMs = 600;
const reviewMs = 5000;
const maxHubs = 64;

/**
 * Finds the hub and keeps knowing where it is. A hub that stops answering stays the candidate, at its last address,
 * until it says goodbye or another one is found: networks that lose multicast lose no camera.
 */
export class HubLocator {
  readonly #options: HubLocatorOptions;
  readonly #hubs = new Map<string, Remembered>();
  readonly #listeners = new Set<(hub: HubCandidate | null) => void>();
  #browser: ServiceBrowser | null = null;
  #current: Located | null = null;
  #firstSeenAtMs: number | null = null;
  #pinnedId: string | null;
  /** The network changed, and the hub was not heard since. */
  #networkChanged = false;
  #hurriedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: HubLocatorOptions) {
    this.#options = options;
    this.#pinnedId = options.pinnedId ?? null;
  }

  /** Searches until abort. With a static URL there is nothing to search. */
  async run(signal: AbortSignal): Promise<void> {
    const set = this.#static();
    if (set !== null) {
      for (const listener of this.#listeners) listener(set);
      return await aborted(signal);
    }
    const { network, log } = this.#options;
    const browser = new ServiceBrowser({
      ...{ network, log },
      onSighting: (service) => this.#onSighting(service),
      onGoodbye: (name) => this.#onGoodbye(name),
      onNetworkChange: () => {
        this.#networkChanged = true;
      },
    });
    this.#browser = browser;
    await Promise.all([browser.run(signal), this.#review(signal)]);
    this.#browser = null;
  }

  /** The hub to connect to now, or null as long as none is found. */
  current(): HubCandidate | null {
    return this.#static() ?? this.#current?.hub ?? null;
  }

  /** Calls back on every change of {@link current}, and when it is heard again after silence or a change of network. */
  subscribe(listener: (hub: HubCandidate | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A hub adopted this camera, or let it go (null). */
  pin(id: string | null): void {
    this.#pinnedId = id;
    this.#choose();
  }

  /** Tells that nothing answers at an URL this locator gave: tries the hub's other addresses, and asks anew. */
  reportFailure(url: string): void {
    const current = this.#current;
    if (current === null || current.hub.url !== url) return;
    const hub = this.#hubs.get(current.hub.id);
    if (hub === undefined) return;
    hub.failedAddresses.add(current.address);
    if (hub.sighting.addresses.every((address) => hub.failedAddresses.has(address))) {
      hub.failedAddresses.clear();
    }
    this.#hubs.set(current.hub.id, { ...hub, failedAtMs: hub.failedAtMs ?? performance.now() });
    if (performance.now() - this.#hurriedAtMs > 1000) {
      this.#hurriedAtMs = performance.now();
      this.#browser?.hurry();
    }
    this.#choose();
  }

  /** Tells that the hub answers at another of its addresses, and not at the one it was looked for first. */
  reportAnswer(url: string): void {
    const current = this.#current;
    const hub = current === null ? undefined : this.#hubs.get(current.hub.id);
    const address = hub?.sighting.addresses.find((one) => hubUrl(hub.sighting, one) === url);
    if (current === null || hub === undefined || address === undefined) return;
    hub.failedAddresses.delete(address);
    this.#set({ ...current, address, hub: { ...current.hub, ...urlsOf(hub.sighting, address) } });
  }

  #static(): HubCandidate | null {
    const url = this.#options.override;
    if (url === 'auto') return null;
    const name = new URL(url).hostname;
    const reason = 'set by camera.hub';
    const base = url.replace(/\/+$/, '');
    return { id: 'static', name, url: base, otherUrls: [], tlsFingerprint: null, via: 'static', reason };
  }

  /** Time alone changes the choice: hubs fall silent, the first gathering ends. */
  async #review(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#choose();
      await sleep(this.#current === null ? gatherMs / 3 : reviewMs, undefined, { signal }).catch(() => {
        // Aborted: the loop's condition sees it.
      });
    }
  }

  #onSighting(service: FoundService): void {
    const { id, role } = service.txt;
    if (role !== 'hub') return;
    const known = this.#hubs.get(id);
    if (known === undefined && this.#hubs.size >= maxHubs) return;
    const failedAddresses = known?.failedAddresses ?? new Set<string>();
    this.#hubs.set(id, { sighting: service, seenAtMs: service.seenAtMs, failedAtMs: null, failedAddresses });
    this.#firstSeenAtMs ??= service.seenAtMs;
    this.#choose();
    if (this.#networkChanged && this.#current?.hub.id === id) this.#heardAgain(this.#current.hub);
  }

  /** The cable is back: whoever waits for the hub need not wait any longer. */
  #heardAgain(hub: HubCandidate): void {
    this.#networkChanged = false;
    for (const listener of this.#listeners) listener(hub);
  }

  #onGoodbye(name: string): void {
    for (const [id, hub] of this.#hubs) {
      if (hub.sighting.name.toLowerCase() !== name.toLowerCase()) continue;
      this.#options.log.info({ hub: name }, 'the hub said goodbye');
      this.#hubs.delete(id);
      this.#browser?.hurry();
    }
    this.#choose();
  }

  #choose(): void {
    const nowMs = performance.now();
    const pinnedId = this.#pinnedId;
    const before = this.#current;
    const choice = chooseHub([...this.#hubs.values()], pinnedId, before?.hub.id ?? null, nowMs);
    if (choice === null) {
      this.#set(null);
      return;
    }
    const gathering = nowMs - (this.#firstSeenAtMs ?? nowMs) < gatherMs;
    if (before === null && choice.id !== pinnedId && gathering) return;
    const hub = this.#hubs.get(choice.id);
    const present = before?.hub.id === choice.id ? before.address : null;
    const address = hub && chooseAddress(hub.sighting, present, hub.failedAddresses);
    if (!hub || !address) {
      this.#set(null);
      return;
    }
    const { name, txt } = hub.sighting;
    const { id, reason, fresh } = choice;
    const found = { id, name, ...urlsOf(hub.sighting, address), tlsFingerprint: txt.tls };
    this.#set({ hub: { ...found, via: 'mdns', reason }, address, fresh });
  }

  #set(next: Located | null): void {
    const before = this.#current;
    this.#current = next;
    if (next === null) this.#firstSeenAtMs = null;
    if (next?.fresh && !before?.fresh) this.#browser?.relax();
    if (before?.fresh && !next?.fresh) this.#browser?.hurry();
    if (sameHub(before, next)) return;
    this.#say(next);
    if (next !== null && !next.fresh) return;
    for (const listener of this.#listeners) listener(next?.hub ?? null);
  }

  #say(next: Located | null): void {
    const { log } = this.#options;
    if (next === null) log.info('no hub on the network');
    else if (next.fresh) log.info({ hub: next.hub.name, url: next.hub.url }, next.hub.reason);
    else log.warn({ hub: next.hub.name, url: next.hub.url }, 'the hub fell silent; its last address stays');
  }
}

function urlsOf(sighting: Sighting, address: string): Pick<HubCandidate, 'url' | 'otherUrls'> {
  const others = sighting.addresses.filter((other) => other !== address);
  return { url: hubUrl(sighting, address), otherUrls: others.map((other) => hubUrl(sighting, other)) };
}

/** Whether nothing changed for whoever is connected: the reason may, and where else the hub might be found. */
function sameHub(a: Located | null, b: Located | null): boolean {
  if (a === null || b === null) return a === b;
  const bare = (hub: HubCandidate) => ({ ...hub, reason: '', otherUrls: [] });
  return a.fresh === b.fresh && isDeepStrictEqual(bare(a.hub), bare(b.hub));
}
