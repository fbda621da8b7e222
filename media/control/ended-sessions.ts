import type { MediaSession } from '../signaling/media-session.ts';

const KEPT_MS = 60_000;
const MOST = 512;

/** What is remembered of a session. */
export type EndedSession = Pick<MediaSession, 'id' | 'kind' | 'feed' | 'keyId'>;

/** Sessions that ended a moment ago: ending one again, like a client that says goodbye by DTLS first, is no error. */
export class EndedSessions {
  readonly #sessions = new Map<string, EndedSession & { readonly atMs: number }>();

  add({ id, kind, feed, keyId }: EndedSession, nowMs: number): void {
    this.#sessions.set(id, { id, kind, feed, keyId, atMs: nowMs });
    for (const [oldest, { atMs }] of this.#sessions) {
      if (this.#sessions.size <= MOST && nowMs - atMs <= KEPT_MS) break;
      this.#sessions.delete(oldest);
    }
  }

  get(id: string, nowMs: number): EndedSession | null {
    const session = this.#sessions.get(id);
    return session !== undefined && nowMs - session.atMs <= KEPT_MS ? session : null;
  }
}
