/** Who may open how many sessions, and whose a session is. */
import { SignalingError } from '../signaling/errors.ts';

export type SessionKind = 'whip' | 'whep';

/** The key that lets a peer in. Both are null where no key is needed. */
export interface SessionOwner {
  readonly keyId: string | null;
  readonly role: string | null;
}

/** What a session must be for somebody to look at it, change it or end it. */
export interface SessionClaim {
  readonly kind: SessionKind;
  readonly feed: string;
  readonly by: SessionOwner;
}

export interface OpenSession {
  readonly kind: SessionKind;
  readonly feed: string;
  readonly keyId: string | null;
}

export interface PlaceLimits {
  readonly total: number;
  /** Of these, so many are for cameras alone. */
  readonly forCameras: number;
  /** So many for one key, but for cameras: a crew may share one, and yet nobody takes it all. */
  readonly perKey: number;
}

export const placeLimits: PlaceLimits = { total: 256, forCameras: 32, perKey: 112 };

/** Who runs the appliance may end what others opened. */
const everywhere: ReadonlySet<string | null> = new Set(['owner', 'operator']);

/** The id of a session opens nothing by itself: kind and feed must be right, and the key one that may. */
export function isClaimed(session: OpenSession, { kind, feed, by }: SessionClaim): boolean {
  if (session.kind !== kind || session.feed !== feed) return false;
  return session.keyId === by.keyId || everywhere.has(by.role);
}

/**
 * The places of sessions, those that are still being opened included: an offer has its place before anything is awaited,
 * so that however many come at once, there are never more.
 */
export class SessionPlaces {
  readonly #limits: PlaceLimits;
  readonly #taken = new Set<SessionOwner>();

  constructor(limits: PlaceLimits = placeLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken.size;
  }

  /**
   * A place for one more session, until it is given back. `makeRoom` may end a session of one of these keys that never
   * came to anything, and says whether it did. Throws SESSIONS_FULL.
   */
  take(owner: SessionOwner, makeRoom: (keyIds: ReadonlySet<string | null>) => boolean): Disposable {
    const { total, forCameras, perKey } = this.#limits;
    const isCamera = owner.role === 'camera';
    const ofKey = () => [...this.#taken].filter(({ keyId }) => keyId === owner.keyId).length;
    if (!isCamera && owner.keyId !== null && ofKey() >= perKey && !makeRoom(new Set([owner.keyId]))) {
      throw full('this key has as many sessions as one key may have');
    }
    const most = isCamera ? total : total - forCameras;
    if (this.#taken.size >= most && !makeRoom(this.#greediest())) {
      throw full('there are as many sessions as this machine takes');
    }
    const place = { ...owner };
    this.#taken.add(place);
    return { [Symbol.dispose]: () => void this.#taken.delete(place) };
  }

  /** The keys with the most sessions. */
  #greediest(): ReadonlySet<string | null> {
    const counts = new Map<string | null, number>();
    for (const { keyId } of this.#taken) counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
    const most = Math.max(0, ...counts.values());
    return new Set([...counts].flatMap(([keyId, count]) => (count === most ? [keyId] : [])));
  }
}

function full(message: string): SignalingError {
  return new SignalingError('SESSIONS_FULL', message, { retryAfterS: 10 });
}
