import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { LogLimiter } from '../../common/log-limiter.ts';
import { pause, untilAborted } from '../../common/pause.ts';
import { TokenBucket } from '../../common/token-bucket.ts';
import { type FoundService, ServiceBrowser } from '../discovery/index.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import { type HeardHub, HeardHubs, hubKey } from './adoption-consent.ts';
import { chooseHub, hubUrl, isFresh, type KnownHub, urlsToTry } from './hub-choice.ts';
import { type Seen, SightingBook } from './sighting-book.ts';

/** Where a camera's hub is. */
export interface HubCandidate {
  /** Id of the hub's TXT record; `static` if the URL is set by hand. */
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

/** How a camera finds its hub. */
export interface HubLocatorOptions {
  /** `camera.hub` of the settings: a URL, or `auto` for mDNS. */
  readonly override: string;
  /** Id of the hub that adopted this camera. */
  readonly pinnedId?: string | null;
  /** SHA-256 of the certificate that this hub must show; null if it has none. */
  readonly pinnedTls?: string | null;
  readonly network: NetworkEvents;
  readonly log: Logger;
}

interface Located {
  readonly hub: HubCandidate;
  readonly fresh: boolean;
}

const gatherMs = 600;
const reviewMs = 5000;
/** How many hubs are asked for adoption at once. */
const maxAsked = 8;

/**
 * Finds the hub and keeps track of where it is. Sightings over mDNS are candidates: while a link is alive its address is not
 * given up for any of them, and when it ends they are tried beside it. A hub that stops answering stays the candidate, at its
 * last address, until it says goodbye or another one is found: networks that lose multicast lose no camera.
 */
export class HubLocator {
  readonly #options: HubLocatorOptions;
  readonly #book = new SightingBook();
  readonly #heard = new HeardHubs();
  readonly #listeners = new Set<(hub: HubCandidate | null) => void>();
  readonly #limiter: LogLimiter;
  /** How often sightings may cast doubt on a living link. */
  readonly #doubts = new TokenBucket({ burst: 1, perSecond: 0.1 });
  #failedUrls = new Set<string>();
  #browser: ServiceBrowser | null = null;
  #current: Located | null = null;
  /** Where the hub last accepted this camera, after it had shown the pinned key. */
  #proven: HubCandidate | null = null;
  /** The link is alive, at this address. */
  #held = false;
  #firstSeenAtMs: number | null = null;
  #pinnedId: string | null;
  #pinnedTls: string | null;
  /** The network changed, and the hub has not been heard since. */
  #networkChanged = false;

  constructor(options: HubLocatorOptions) {
    this.#options = options;
    this.#limiter = new LogLimiter({ logger: options.log });
    this.#pinnedId = options.pinnedId ?? null;
    this.#pinnedTls = options.pinnedTls ?? null;
  }

  /** Searches until abort. With a static URL there is nothing to search. */
  async run(signal: AbortSignal): Promise<void> {
    const set = this.#static();
    if (set !== null) {
      for (const listener of this.#listeners) listener(set);
      return await untilAborted(signal);
    }
    const { network, log } = this.#options;
    const browser = new ServiceBrowser({
      network,
      log,
      onSighting: (service) => this.noteSighting(service),
      onGoodbye: (name, sender) => this.noteGoodbye(name, sender),
      onNetworkChange: () => {
        this.#networkChanged = true;
      },
    });
    this.#browser = browser;
    await Promise.all([browser.run(signal), this.#review(signal)]);
    this.#browser = null;
    this.#limiter[Symbol.dispose]();
  }

  /** The hub to connect to now, or null until one is found. */
  current(): HubCandidate | null {
    return this.#static() ?? this.#current?.hub ?? null;
  }

  /** The hubs that may adopt this camera: the one to connect to, or every one that is found, up to a few. */
  candidates(): readonly HubCandidate[] {
    const current = this.current();
    if (current === null || current.via === 'static' || this.#isPinned)
      return current === null ? [] : [current];
    // Each sender counts by itself: one that claims another hub's id takes no place from it. The sender heard longest ago comes
    // first.
    return this.#book
      .all()
      .slice(0, maxAsked)
      .flatMap(
        ({ service }) => candidateOf([service], null, this.#failedUrls, 'one of the hubs found') ?? [],
      );
  }

  /** Every hub that was heard within the last minutes, and all that are probably still there. */
  heard(): readonly HeardHub[] {
    return this.#heard.list(
      this.#book.all().map(({ service }) => keyOf(service)),
      performance.now(),
    );
  }

  /** Whether the owner set where the hub is. */
  get isSet(): boolean {
    return this.#static() !== null;
  }

  /** Calls back on every change of {@link current}, and when the hub is heard again after silence or a change of network. */
  subscribe(listener: (hub: HubCandidate | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A hub adopted this camera, or released it (null). `tls`: SHA-256 of the certificate it has to show. */
  pin(id: string | null, tls: string | null = null): void {
    this.#pinnedId = id;
    this.#pinnedTls = tls;
    if (id === null) this.#proven = null;
    this.#choose();
  }

  /** Reports that nothing answers at these URLs of this locator: it tries others first, and asks the network again. */
  reportFailure(...urls: readonly string[]): void {
    const current = this.#current;
    if (current === null || this.#held) return;
    const known = new Set([current.hub.url, ...current.hub.otherUrls]);
    const failed = urls.filter((url) => known.has(url));
    if (failed.length === 0) return;
    for (const url of failed) this.#failedUrls.add(url);
    const dead = this.#seenAs(current.hub.id).filter(({ service }) =>
      urlsOf(service).every((url) => this.#failedUrls.has(url)),
    );
    const senders = new Set(dead.map(({ service }) => service.sender));
    this.#book.failed(senders, current.hub.id, performance.now());
    // Starts over if none is left, and forgets failures of what is no longer known.
    const all = new Set([...this.#book.all().flatMap(({ service }) => urlsOf(service)), ...known]);
    const exhausted = [...known].every((url) => this.#failedUrls.has(url));
    this.#failedUrls = new Set(
      [...this.#failedUrls].filter((url) => all.has(url) && !(exhausted && known.has(url))),
    );
    this.#browser?.hurry();
    this.#choose();
  }

  /** The hub accepted this camera at this URL: it is the hub's place, no matter what is heard, until {@link ended}. */
  linked(hub: HubCandidate): void {
    if (hub.via === 'static') return;
    this.#failedUrls.delete(hub.url);
    this.#proven = { ...hub, otherUrls: [] };
    this.#held = true;
    this.#set({ hub, fresh: true });
  }

  /** The link ended: the hub's last place is tried first, and beside it what was heard. */
  ended(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#choose();
  }

  /** Takes what a packet said about an appliance. */
  noteSighting(service: FoundService): void {
    if (service.txt.role !== 'hub') return;
    this.#book.note(service);
    this.#heard.note(keyOf(service), service.seenAtMs);
    this.#firstSeenAtMs ??= service.seenAtMs;
    this.#choose();
    const current = this.#current;
    if (current === null || !this.#mayBe(service, current.hub.id)) return;
    const isElsewhere = this.#held && !urlsOf(service).includes(current.hub.url);
    if (this.#networkChanged || (isElsewhere && this.#doubts.take())) this.#heardAgain(current.hub);
  }

  /** Takes a goodbye. It applies only to what the same sender said. */
  noteGoodbye(name: string, sender: string): void {
    for (const service of this.#book.goodbye(name, sender, performance.now())) {
      this.#limiter.log('info', 'goodbye', { hub: service.name }, 'a hub said goodbye');
      if (!this.#held && this.#proven !== null && urlsOf(service).includes(this.#proven.url))
        this.#proven = null;
      this.#browser?.hurry();
    }
    this.#choose();
  }

  #static(): HubCandidate | null {
    const url = this.#options.override;
    if (url === 'auto') return null;
    const name = new URL(url).hostname;
    const reason = 'set by camera.hub';
    const base = url.replace(/\/+$/, '');
    return { id: 'static', name, url: base, otherUrls: [], tlsFingerprint: null, via: 'static', reason };
  }

  get #isPinned(): boolean {
    return this.#pinnedId !== null || this.#pinnedTls !== null;
  }

  /** Time alone changes the choice: hubs fall silent, and the first gathering ends. */
  async #review(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#book.expire(performance.now());
      this.#choose();
      await pause(this.#current === null ? gatherMs / 3 : reviewMs, signal);
    }
  }

  /** The cable is back, or the hub may have moved: there is no reason to wait any longer. */
  #heardAgain(hub: HubCandidate): void {
    this.#networkChanged = false;
    for (const listener of this.#listeners) listener(hub);
  }

  /** Whether a sighting may be of that hub: by its pinned key, or else by the id it claims. */
  #mayBe({ txt }: FoundService, id: string): boolean {
    return txt.id === id || (this.#pinnedTls !== null && txt.tls === this.#pinnedTls);
  }

  #choose(): void {
    if (this.#held) return;
    const nowMs = performance.now();
    const before = this.#current;
    const own = this.#isPinned ? this.#ownHub(nowMs) : null;
    if (own !== null) {
      this.#set(own);
      return;
    }
    // A server without the pinned key gets nothing, so trying it does no harm. Without a key hubs cannot be distinguished.
    const mayTry = this.#pinnedId === null || this.#pinnedTls !== null;
    const choice = mayTry
      ? chooseHub(this.#knownHubs(), this.#pinnedId, before?.hub.id ?? null, nowMs)
      : null;
    if (choice === null) {
      this.#set(null);
      return;
    }
    const gathering = nowMs - (this.#firstSeenAtMs ?? nowMs) < gatherMs;
    if (before === null && gathering) return;
    const seen = this.#seenAs(choice.id).toSorted((a, b) => byWorth(a, b, null));
    const services = seen.map(({ service }) => service);
    const hub = candidateOf(services, this.#presentOf(services), this.#failedUrls, choice.reason);
    this.#set(hub === null ? null : { hub, fresh: choice.fresh });
  }

  /** The hub this camera belongs to, at all addresses that may be its own; null if nothing was heard of it. */
  #ownHub(nowMs: number): Located | null {
    const seen = this.#book
      .all()
      .filter(({ service }) => this.#mayBe(service, this.#pinnedId ?? service.txt.id))
      .filter(({ service }) => this.#pinnedId !== null || service.txt.tls === this.#pinnedTls)
      .toSorted((a, b) => byWorth(a, b, this.#pinnedTls));
    const services = seen.map(({ service }) => service);
    const first = this.#proven?.url ?? this.#presentOf(services);
    const hub = candidateOf(services, first, this.#failedUrls, 'the hub that adopted this camera');
    if (hub === null) return this.#proven === null ? null : { hub: this.#proven, fresh: false };
    return { hub, fresh: seen.some((one) => isFresh(knownOf(one), nowMs)) };
  }

  /** The address in use, as long as the latest sighting lists it and it did not fail. */
  #presentOf([latest]: readonly FoundService[]): string | null {
    const present = this.#current?.hub.url;
    if (present === undefined || latest === undefined || this.#failedUrls.has(present)) return null;
    return urlsOf(latest).includes(present) ? present : null;
  }

  /** Whether the hub accepted this camera, since this program runs or since another hub adopted it. */
  get isProven(): boolean {
    return this.#proven !== null;
  }

  #seenAs(id: string): readonly Seen[] {
    return this.#book.all().filter(({ service }) => this.#mayBe(service, id));
  }

  /** Each hub as it was last heard; those that answer come before those that do not. */
  #knownHubs(): readonly KnownHub[] {
    const latest = new Map<string, Seen>();
    const worst = this.#book.all().toSorted((a, b) => byWorth(b, a, null));
    for (const seen of worst) latest.set(seen.service.txt.id, seen);
    return [...latest.values()].map(knownOf);
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
    const fields = { hub: next?.hub.name, url: next?.hub.url };
    if (next === null) this.#limiter.log('info', 'none', {}, 'no hub on the network');
    else if (next.fresh) this.#limiter.log('info', 'found', fields, next.hub.reason);
    else this.#limiter.log('warn', 'silent', fields, 'the hub fell silent; its last address stays');
  }
}

/** One hub at all addresses that were heard of it. The server there has to prove itself. */
function candidateOf(
  services: readonly FoundService[],
  firstUrl: string | null,
  failed: ReadonlySet<string>,
  reason: string,
): HubCandidate | null {
  const [url, ...otherUrls] = urlsToTry(services, firstUrl, failed);
  const [service] = services;
  if (url === undefined || service === undefined) return null;
  const { name, txt } = service;
  return { id: txt.id, name, url, otherUrls, tlsFingerprint: txt.tls, via: 'mdns', reason };
}

function knownOf({ service, failedAtMs }: Seen): KnownHub {
  return { sighting: service, seenAtMs: service.seenAtMs, failedAtMs };
}

function urlsOf(service: FoundService): readonly string[] {
  return service.addresses.map((address) => hubUrl(service, address));
}

function keyOf(service: FoundService): string {
  return hubKey(service.txt.id, service.txt.tls, urlsOf(service));
}

/** Sightings with the right key come first, then those that have not failed. */
function rank({ service, failedAtMs }: Seen, pinnedTls: string | null): number {
  return (pinnedTls !== null && service.txt.tls !== pinnedTls ? 2 : 0) + (failedAtMs === null ? 0 : 1);
}

/** Among equals the most recent one: a hub that moved is where it last said, until it proves where it is. */
function byWorth(a: Seen, b: Seen, pinnedTls: string | null): number {
  return rank(a, pinnedTls) - rank(b, pinnedTls) || b.service.seenAtMs - a.service.seenAtMs;
}

/** Whether nothing changed for the connection: the reason may differ, and where else the hub might be found. */
function sameHub(a: Located | null, b: Located | null): boolean {
  if (a === null || b === null) return a === b;
  const bare = (hub: HubCandidate) => ({ ...hub, reason: '', otherUrls: [] });
  return a.fresh === b.fresh && isDeepStrictEqual(bare(a.hub), bare(b.hub));
}
