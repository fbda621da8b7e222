/**
 * Limits the sessions: of each kind, so that viewers never take the places of cameras, and of each key, so that no one takes
 * those of others. A place is taken before the first await of an offer; a session that is not connected yet occupies one like
 * any other, and one key may have only a few of those at a time.
 */
import { SignalingError } from '../signaling/errors.ts';

/** Whether a session publishes or views. */
export type SessionKind = 'whip' | 'whep';

interface Limits {
  readonly all: number;
  readonly ofOneKey: number;
  /** Not connected yet, of one key. */
  readonly pendingOfOneKey: number;
}

const defaultLimits: Readonly<Record<SessionKind, Limits>> = {
  whip: { all: 128, ofOneKey: 32, pendingOfOneKey: 16 },
  whep: { all: 384, ofOneKey: 288, pendingOfOneKey: 64 },
};
const retryAfterS = { whip: 5, whep: 10 } as const;

/** A session's place. Disposing it, even twice, frees it. */
export interface Place extends Disposable {
  /** The session is connected. */
  settle(): void;
}

/** The places of all sessions. */
export class Admission {
  readonly #limits: Readonly<Record<SessionKind, Limits>>;
  readonly #places: Readonly<Record<SessionKind, Set<{ readonly share: string; pending: boolean }>>> = {
    whip: new Set(),
    whep: new Set(),
  };

  constructor(limits = defaultLimits) {
    this.#limits = limits;
  }

  /** `share` names the owner of the session: a key, or an address if no key is needed. Throws SignalingError OVERLOADED. */
  admit(kind: SessionKind, share: string): Place {
    const places = this.#places[kind];
    const limits = this.#limits[kind];
    const own = [...places].filter((place) => place.share === share);
    if (places.size >= limits.all) throw overloaded(kind, 'This hub has as many sessions as it can serve.');
    if (own.length >= limits.ofOneKey)
      throw overloaded(
        kind,
        'This key has as many sessions as one key may have. Close some, or use another key.',
      );
    if (own.filter(({ pending }) => pending).length >= limits.pendingOfOneKey)
      throw overloaded(kind, 'Too many sessions of this key are not connected yet. Wait until they are.');
    const place = { share, pending: true };
    places.add(place);
    return {
      settle: () => {
        place.pending = false;
      },
      [Symbol.dispose]: () => {
        places.delete(place);
      },
    };
  }
}

function overloaded(kind: SessionKind, message: string): SignalingError {
  return new SignalingError('OVERLOADED', message, { retryAfterS: retryAfterS[kind] });
}
