import type { Sighting } from '../discovery/index.ts';

/** A hub as the locator remembers it. Times are of the monotonic clock, in milliseconds. */
export interface KnownHub {
  readonly sighting: Sighting;
  readonly seenAtMs: number;
  /** When it was first reported not to answer, since it was last heard. */
  readonly failedAtMs: number | null;
}

/** The hub a camera should use, and why. */
export interface HubChoice {
  readonly id: string;
  /** False if nothing was heard of it for long: its last address is still worth a try. */
  readonly fresh: boolean;
  /** Why this one, for people. */
  readonly reason: string;
}

/** A hub that was reported as failing and does not answer mDNS for this long is gone (RFC 6762 section 10.4). */
const failedForMs = 10_000;

/**
 * Picks a camera's hub: one that is alive before one that is not; among these the one that adopted the camera, else the one
 * used until now, else the only one, else the one with the lowest id. Null if there is none.
 */
export function chooseHub(
  hubs: readonly KnownHub[],
  pinnedId: string | null,
  presentId: string | null,
  nowMs: number,
): HubChoice | null {
  const alive = hubs.filter((hub) => isFresh(hub, nowMs));
  const fresh = alive.length > 0;
  const ids = (fresh ? alive : hubs).map((hub) => hub.sighting.txt.id).toSorted();
  const lowest = ids[0];
  if (lowest === undefined) return null;
  if (pinnedId !== null && ids.includes(pinnedId)) {
    return { id: pinnedId, fresh, reason: 'the hub that adopted this camera' };
  }
  const notAdopted = pinnedId === null ? '' : '; the hub that adopted this camera is not there';
  if (ids.length === 1) return { id: lowest, fresh, reason: `the only hub found${notAdopted}` };
  if (presentId !== null && ids.includes(presentId)) {
    return { id: presentId, fresh, reason: `the first of ${ids.length} hubs found${notAdopted}` };
  }
  return { id: lowest, fresh, reason: `the lowest id of ${ids.length} hubs found${notAdopted}` };
}

/** Whether it is probably still there. */
export function isFresh(hub: KnownHub, nowMs: number): boolean {
  if (nowMs - hub.seenAtMs > hub.sighting.ttlS * 1000) return false;
  return hub.failedAtMs === null || nowMs - hub.failedAtMs < failedForMs;
}

/** At most this many addresses are tried side by side; anyone may announce more. */
const maxUrls = 16;

/**
 * Where to try, in this order: where it answered last, then one address of each sighting in turn; what failed last comes last.
 * Each sighting gets its turn, so a sighting with many addresses displaces no other.
 */
export function urlsToTry(
  sightings: readonly Sighting[],
  proven: string | null,
  failed: ReadonlySet<string>,
): readonly string[] {
  const lists = sightings.map((sighting) => sighting.addresses.map((address) => hubUrl(sighting, address)));
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const turns = Array.from({ length: longest }, (_, turn) =>
    lists.flatMap((list) => list[turn] ?? []),
  ).flat();
  const untried = turns.filter((url) => !failed.has(url));
  const tried = turns.filter((url) => failed.has(url));
  return [...new Set([...(proven === null ? [] : [proven]), ...untried, ...tried])].slice(0, maxUrls);
}

/** Base URL without a slash at its end. */
export function hubUrl(sighting: Sighting, address: string): string {
  const scheme = sighting.txt.tls === null ? 'http' : 'https';
  const host = address.includes(':') ? `[${address}]` : address;
  return new URL(sighting.txt.path, `${scheme}://${host}:${sighting.port}`).href.replace(/\/+$/, '');
}
