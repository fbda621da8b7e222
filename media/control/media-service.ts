/** The media plane of one machine: feeds, sessions, ingests and pushes over one datapath. */
import type { Logger } from 'pino';
import type { Datapath } from '../datapath/datapath.ts';
import { FeedRegistry } from '../sfu/feed-registry.ts';
import { SignalingError } from '../signaling/errors.ts';
import type { MediaSession } from '../signaling/media-session.ts';
import { openViewerSession, type SessionContext } from '../signaling/whep.ts';
import { openPublisherSession } from '../signaling/whip.ts';
import { ConfiguredFlows } from './configured-flows.ts';
import type { MediaConfig, MediaEvent, MediaStatus, SessionInfo, SignalingAnswer } from './protocol.ts';
import {
  isClaimed,
  type OpenSession,
  type PlaceLimits,
  type SessionClaim,
  SessionPlaces,
} from './session-places.ts';

const TICK_MS = 250;
/** A first keyframe may be this far away when a viewer comes. */
const READY_TIMEOUT_MS = 2000;
/** A viewer's session that came to nothing for so long may give its place to another one. */
const STALE_MS = 3000;
/** A name stays with the key that asked for it so long after its session ended: asking again does not hold it longer. */
const ASKED_AGAIN_MS = 30_000;
/** A peer may say goodbye over the network and by HTTP, in any order. */
const KNOWN_GONE_MS = 60_000;
/** So much of what is over is remembered at most. */
const MAX_REMEMBERED = 1024;

export interface MediaServiceOptions {
  readonly datapath: Datapath;
  readonly logger: Logger;
  readonly onEvent: (event: MediaEvent) => void;
  readonly places?: PlaceLimits;
}

export class MediaService implements AsyncDisposable {
  readonly feeds: FeedRegistry;
  readonly #options: MediaServiceOptions;
  readonly #sessions = new Map<string, MediaSession>();
  readonly #places: SessionPlaces;
  readonly #placeOf = new Map<string, Disposable>();
  /** Sessions that are over, and since when. */
  readonly #gone = new Map<string, OpenSession & { readonly sinceMs: number }>();
  /** Keys that were revoked: an offer of theirs that is still under way comes to nothing. */
  readonly #ended = new Set<string>();
  /** Who asked for a feed's name last, and since when it does. */
  readonly #asked = new Map<
    string,
    { readonly by: string | null; readonly sinceMs: number; lastMs: number }
  >();
  readonly #flows: ConfiguredFlows;
  readonly #startedMs = performance.now();
  #maxBitrateKbps = 20_000;
  #problems: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #work: Promise<unknown> = Promise.resolve();
  #offers: Promise<unknown> = Promise.resolve();

  constructor(options: MediaServiceOptions) {
    this.#options = options;
    this.#places = new SessionPlaces(options.places);
    const { datapath, logger, onEvent } = options;
    this.feeds = new FeedRegistry({
      datapath,
      logger,
      onState: (feed, state) => onEvent({ event: 'feed', feed: feed.id, state }),
    });
    this.#flows = new ConfiguredFlows({
      ...{ feeds: this.feeds, datapath, logger, onEvent },
      isPublished: (feed) => this.#publisherOf(feed) !== undefined,
      endPublisher: (feed) => this.#publisherOf(feed)?.close(),
    });
  }

  /** Makes the machine as `config` says; what is unchanged goes on undisturbed. Calls are worked off one by one. */
  configure(config: MediaConfig): Promise<{ problems: string[] }> {
    const work = this.#work.then(() => this.#apply(config));
    this.#work = work.catch(() => {
      // The caller hears of it; the next configuration starts from what is there.
    });
    return work;
  }

  /** Opens a publisher's session. Throws SignalingError. */
  async whipOffer(params: {
    feed: string;
    sdp: string;
    peer: string | null;
    keyId?: string | null;
    role?: string | null;
    publisherKey: string | null;
  }): Promise<SignalingAnswer> {
    const place = this.#admit(params);
    // One by one: two publishers must not find the same feed free.
    const work = this.#offers.then(() => this.#openPublisher(params, place));
    this.#offers = work.catch(() => {
      // The caller hears of it.
    });
    return work;
  }

  async #openPublisher(
    params: Parameters<MediaService['whipOffer']>[0],
    place: Disposable,
  ): Promise<SignalingAnswer> {
    using unused = new DisposableStack();
    unused.use(place);
    const feed = this.feeds.obtain(params.feed);
    try {
      const present = this.#publisherOf(params.feed);
      const takesOver =
        present !== undefined && params.publisherKey !== null && present.publisherKey === params.publisherKey;
      const askedMs = this.#askedSince(params.feed, present);
      if (this.#flows.fills(params.feed) || (present?.holdsName(askedMs) && !takesOver)) {
        throw new SignalingError('FEED_BUSY', `feed ${params.feed} has a publisher`, { retryAfterS: 2 });
      }
      this.#noteAsked(params.feed, params.keyId ?? params.publisherKey);
      const session = await openPublisherSession(this.#context(), feed, {
        ...params,
        keyId: params.keyId ?? null,
        maxBitrateKbps: this.#maxBitrateKbps,
        replaces: present ?? null,
      });
      return this.#opened(session, unused);
    } finally {
      this.feeds.release(feed);
    }
  }

  /** Opens a viewer's session. Throws SignalingError. */
  async whepOffer(params: {
    feed: string;
    sdp: string;
    peer: string | null;
    keyId?: string | null;
    role?: string | null;
  }): Promise<SignalingAnswer> {
    using unused = new DisposableStack();
    unused.use(this.#admit(params));
    if (this.feeds.get(params.feed) === null) throw noPublisher(params.feed);
    // Held meanwhile: its publisher may leave, and a viewer of a feed that was dropped would never see another one.
    const feed = this.feeds.obtain(params.feed);
    try {
      if (!(await feed.whenReady(feed.source === null ? 0 : READY_TIMEOUT_MS)))
        throw noPublisher(params.feed);
      const request = { ...params, keyId: params.keyId ?? null };
      return this.#opened(await openViewerSession(this.#context(), feed, request), unused);
    } finally {
      this.feeds.release(feed);
    }
  }

  /** Ends every session that was opened with this key, and tells how many that were. */
  endSessionsOf(keyId: string): number {
    this.#ended.add(keyId);
    forgetOldest(this.#ended);
    return this.#end((session) => session.keyId === keyId);
  }

  /** Ends every session of a key that is none of these: who knows the keys may have been away when one was revoked. */
  endSessionsExcept(keyIds: readonly string[]): number {
    const good = new Set<string | null>([null, ...keyIds]);
    return this.#end((session) => !good.has(session.keyId));
  }

  /** The session, for who may handle it. Throws SESSION_NOT_FOUND for all others: they need not know that there is one. */
  claimed(sessionId: string, claim: SessionClaim): MediaSession {
    const session = this.session(sessionId);
    if (!isClaimed(session, claim)) throw notFound();
    return session;
  }

  /** Ends a session. One that has just ended by itself is ended, which is what was asked for. */
  closeSession(sessionId: string, claim: SessionClaim): void {
    const gone = this.#gone.get(sessionId);
    if (gone !== undefined && isClaimed(gone, claim)) {
      if (performance.now() - gone.sinceMs < KNOWN_GONE_MS) return;
    }
    this.claimed(sessionId, claim).close();
  }

  session(sessionId: string): MediaSession {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw notFound();
    return session;
  }

  status(): MediaStatus {
    const { datapath } = this.#options;
    const { datagramsIn, datagramsOut, datagramsRefused, sendErrors } = datapath.stats;
    return {
      pid: process.pid,
      uptimeMs: Math.round(performance.now() - this.#startedMs),
      bound: [...datapath.bound],
      sessions: this.#sessions.size,
      datagramsIn,
      datagramsOut,
      datagramsRefused,
      sendErrors,
      rssBytes: process.memoryUsage.rss(),
      problems: this.#problems,
      pushes: this.#flows.pushes(),
      pulls: this.#flows.pulls(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const session of [...this.#sessions.values()]) session.close();
    await this.#flows[Symbol.asyncDispose]();
    this.feeds[Symbol.dispose]();
  }

  async #apply(config: MediaConfig): Promise<{ problems: string[] }> {
    this.#timer ??= setInterval(this.#tick, TICK_MS);
    const { datapath } = this.#options;
    const problems: string[] = [];
    this.#maxBitrateKbps = config.maxPublisherBitrateKbps;
    try {
      await datapath.listen({ udpPort: config.udpPort, listenAddresses: config.listenAddresses });
    } catch (error) {
      problems.push(describe('media port', error));
    }
    await this.#flows.apply(config, problems);
    this.#problems = problems;
    return { problems };
  }

  #publisherOf(feed: string): MediaSession | undefined {
    return [...this.#sessions.values()].find((session) => session.kind === 'whip' && session.feed === feed);
  }

  #context(): SessionContext {
    return {
      datapath: this.#options.datapath,
      logger: this.#options.logger,
      onClosed: (session, reason) => this.#closed(session, reason),
    };
  }

  /** A place for one more session, taken before anything is awaited. Throws SESSIONS_FULL. */
  #admit({ keyId = null, role = null }: { keyId?: string | null; role?: string | null }): Disposable {
    return this.#places.take({ keyId, role }, (keyIds) => this.#endStale(keyIds));
  }

  /** Ends the oldest viewer's session of these keys that was opened and came to nothing. */
  #endStale(keyIds: ReadonlySet<string | null>): boolean {
    const nowMs = performance.now();
    const stale = [...this.#sessions.values()].find(
      (session) =>
        session.kind === 'whep' &&
        !session.isConnected &&
        nowMs - session.openedMs > STALE_MS &&
        keyIds.has(session.keyId),
    );
    stale?.close();
    return stale !== undefined;
  }

  /** Since when the present publisher asks for the name, over all its sessions. */
  #askedSince(feed: string, present: MediaSession | undefined): number {
    const asked = this.#asked.get(feed);
    const by = present?.keyId ?? present?.publisherKey ?? null;
    if (asked !== undefined && by !== null && asked.by === by) return asked.sinceMs;
    return present?.openedMs ?? performance.now();
  }

  #noteAsked(feed: string, by: string | null): void {
    const nowMs = performance.now();
    const asked = this.#asked.get(feed);
    if (asked?.by === by && nowMs - asked.lastMs < ASKED_AGAIN_MS) {
      asked.lastMs = nowMs;
      return;
    }
    this.#asked.set(feed, { by, sinceMs: nowMs, lastMs: nowMs });
    forgetOldest(this.#asked);
  }

  #end(isMeant: (session: MediaSession) => boolean): number {
    const sessions = [...this.#sessions.values()].filter(isMeant);
    for (const session of sessions) session.close();
    return sessions.length;
  }

  /** The place stays with the session from here on. */
  #opened(session: MediaSession, place: DisposableStack): SignalingAnswer {
    if (session.keyId !== null && this.#ended.has(session.keyId)) {
      session.close();
      throw new SignalingError('SESSION_NOT_FOUND', 'the key was revoked while the session was opened');
    }
    this.#sessions.set(session.id, session);
    this.#placeOf.set(session.id, place.move());
    this.#options.onEvent({ event: 'session-opened', session: session.info });
    return { sessionId: session.id, etag: session.info.etag, answer: session.answer };
  }

  #closed(session: MediaSession, reason: string): void {
    if (!this.#sessions.delete(session.id)) return;
    this.#placeOf.get(session.id)?.[Symbol.dispose]();
    this.#placeOf.delete(session.id);
    const { kind, feed, keyId } = session;
    // Who sent may come back as if for the first time.
    if (session.hasSent) this.#asked.delete(feed);
    this.#gone.set(session.id, { kind, feed, keyId, sinceMs: performance.now() });
    forgetOldest(this.#gone);
    const info: SessionInfo = session.info;
    this.#options.onEvent({ event: 'session-closed', session: info, reason });
    this.feeds.sweep();
  }

  readonly #tick = (): void => {
    const nowMs = performance.now();
    for (const session of this.#sessions.values()) session.tick(nowMs);
    this.#flows.tick(nowMs);
    this.feeds.tick(nowMs);
  };
}

/** A set and a map keep the order in which things came. */
function forgetOldest(remembered: Set<string> | Map<string, unknown>): void {
  if (remembered.size <= MAX_REMEMBERED) return;
  for (const oldest of remembered.keys()) {
    remembered.delete(oldest);
    return;
  }
}

function notFound(): SignalingError {
  return new SignalingError('SESSION_NOT_FOUND', 'no such session');
}

function noPublisher(feed: string): SignalingError {
  return new SignalingError('NO_PUBLISHER', `feed ${feed} has no publisher`, { retryAfterS: 2 });
}

function describe(what: string, error: unknown): string {
  return `${what}: ${error instanceof Error ? error.message : String(error)}`;
}
