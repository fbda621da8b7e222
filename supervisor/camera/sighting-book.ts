import type { FoundService } from '../discovery/index.ts';

/** What one sender last said about one hub. */
export interface Seen {
  readonly service: FoundService;
  /** When it was first found not to answer, since it was last heard. Monotonic, in milliseconds. */
  readonly failedAtMs: number | null;
  /** When another sender said that this hub leaves: one that moved cannot say so from its former address. */
  readonly leavingAtMs: number | null;
}

/** A hub whose goodbye was heard has this time to be heard again (RFC 6762 section 10.4). */
const leavesAfterMs = 10_000;
/** Senders for one hub: it has a few addresses at most. */
const maxPerHub = 8;
const maxSeen = 96;

/**
 * What was heard of hubs. Anyone may say anything over mDNS, so no message replaces one of another sender: each sender has one
 * place for each hub it names. If there are too many, the sender that names the most hubs loses a place first, then hubs that
 * did not answer, then those heard longest ago.
 */
export class SightingBook {
  #seen: readonly Seen[] = [];

  note(service: FoundService): void {
    const others = this.#seen.filter((one) => !isSamePlace(one.service, service));
    const ofHub = others.filter((one) => one.service.txt.id === service.txt.id);
    const next = ofHub.length < maxPerHub ? others : without(others, leastWorthy(ofHub, others));
    const room = next.length < maxSeen ? next : without(next, leastWorthy(next, next));
    this.#seen = [...room, { service, failedAtMs: null, leavingAtMs: null }];
  }

  /**
   * A sender said goodbye for what it announced: that is gone. What others said about the same hub is gone unless it is heard
   * again, because the hub may have spoken from another address before; anyone could say that of any hub.
   */
  goodbye(name: string, sender: string, nowMs: number): readonly FoundService[] {
    const isMeant = ({ service }: Seen) =>
      service.sender === sender && service.name.toLowerCase() === name.toLowerCase();
    const gone = this.#seen.filter(isMeant).map(({ service }) => service);
    const ids = new Set(gone.map(({ txt }) => txt.id));
    this.#seen = this.#seen
      .filter((one) => !isMeant(one))
      .map((one) =>
        ids.has(one.service.txt.id) && one.leavingAtMs === null ? { ...one, leavingAtMs: nowMs } : one,
      );
    return gone;
  }

  /** Forgets hubs whose goodbye was heard and that were not heard since. */
  expire(nowMs: number): void {
    this.#seen = this.#seen.filter(
      ({ leavingAtMs }) => leavingAtMs === null || nowMs - leavingAtMs < leavesAfterMs,
    );
  }

  /** None of the addresses that these senders gave answers. */
  failed(senders: ReadonlySet<string>, id: string, nowMs: number): void {
    this.#seen = this.#seen.map((one) => {
      const meant = one.service.txt.id === id && senders.has(one.service.sender);
      return meant && one.failedAtMs === null ? { ...one, failedAtMs: nowMs } : one;
    });
  }

  all(): readonly Seen[] {
    return this.#seen;
  }
}

function isSamePlace(a: FoundService, b: FoundService): boolean {
  return a.txt.id === b.txt.id && a.sender === b.sender;
}

function without(all: readonly Seen[], one: Seen | undefined): readonly Seen[] {
  return all.filter((other) => other !== one);
}

function leastWorthy(among: readonly Seen[], all: readonly Seen[]): Seen | undefined {
  const hubsOf = new Map<string, number>();
  for (const { service } of all) hubsOf.set(service.sender, (hubsOf.get(service.sender) ?? 0) + 1);
  const hubs = ({ service }: Seen) => hubsOf.get(service.sender) ?? 0;
  return among.reduce<Seen | undefined>((worst, one) => {
    if (worst === undefined) return one;
    const order =
      hubs(one) - hubs(worst) ||
      Number(one.failedAtMs !== null) - Number(worst.failedAtMs !== null) ||
      worst.service.seenAtMs - one.service.seenAtMs;
    return order > 0 ? one : worst;
  }, undefined);
}
