/** The media plane of one machine: feeds, sessions, ingests and pushes over one datapath. */
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { FeedRegistry } from '../sfu/feed-registry.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import { SignalingError } from '../signaling/errors.ts';
import type { MediaSession } from '../signaling/media-session.ts';
import type { PatchResult } from '../signaling/session.ts';
import { openViewerSession, type SessionContext } from '../signaling/whep.ts';
import { openPublisherSession } from '../signaling/whip.ts';
import { Admission, type Place } from './admission.ts';
import { ConfiguredFlows } from './configured-flows.ts';
import { EndedSessions } from './ended-sessions.ts';
import type {
  MediaConfig,
  MediaEvent,
  MediaStatus,
  SessionInfo,
  SessionOwner,
  SessionReference,
  SignalingAnswer,
} from './protocol.ts';
import { mayTouch } from './session-access.ts';

const TICK_MS = 250;
/** A first keyframe may be this far away when a viewer comes, in milliseconds. */
const READY_TIMEOUT_MS = 2000;

interface OfferParams {
  readonly feed: string;
  readonly sdp: string;
  readonly peer: string | null;
  readonly keyId?: string | null;
  readonly owner?: SessionOwner | undefined;
}

/** What the service is built from. */
export interface MediaServiceOptions {
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onEvent: (event: MediaEvent) => void;
}

/** See the head of this file. */
export class MediaService implements AsyncDisposable {
  readonly feeds: FeedRegistry;
  readonly #options: MediaServiceOptions;
  readonly #sessions = new Map<string, MediaSession>();
  /** The publisher that has a feed, by the feed's name. */
  readonly #holders = new Map<string, MediaSession>();
  readonly #ended = new EndedSessions();
  /** Revoked keys: their offers that are still in progress fail. Ids are never used again. */
  readonly #revoked = new Set<string>();
  readonly #admission = new Admission();
  readonly #flows: ConfiguredFlows;
  readonly #startedMs = performance.now();
  #maxBitrateKbps = 20_000;
  #problems: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  readonly #inTurn = pLimit(1);

  constructor(options: MediaServiceOptions) {
    this.#options = options;
    const { datapath, logger, onEvent } = options;
    this.feeds = new FeedRegistry({
      datapath,
      logger,
      onState: (feed, state) => onEvent({ event: 'feed', feed: feed.id, state }),
    });
    this.#flows = new ConfiguredFlows({
      feeds: this.feeds,
      datapath,
      logger,
      onEvent,
      isPublished: (feed) => this.#holders.has(feed),
      endPublisher: (feed) => this.#endPublishers(feed),
    });
  }

  /** Brings the machine to `config`; unchanged parts continue undisturbed. Calls are handled one by one. */
  configure(config: MediaConfig): Promise<{ problems: string[] }> {
    return this.#inTurn(() => this.#apply(config));
  }

  /** Opens a publisher's session. Throws SignalingError. */
  async whipOffer(params: OfferParams & { publisherKey: string | null }): Promise<SignalingAnswer> {
    const place = this.#admission.admit('whip', shareOf(params));
    const feed = this.feeds.obtain(params.feed);
    try {
      if (!this.#isFree(params.feed, params.publisherKey))
        throw new SignalingError('FEED_BUSY', `feed ${params.feed} has a publisher`, { retryAfterS: 2 });
      const session = await openPublisherSession(this.#context(place), feed, {
        ...params,
        keyId: keyOf(params),
        maxBitrateKbps: this.#maxBitrateKbps,
        claim: (claimant) => this.#claim(claimant),
      });
      return this.#opened(session, place);
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    } finally {
      this.feeds.release(feed);
    }
  }

  /** Opens a viewer's session. Throws SignalingError. */
  async whepOffer(params: OfferParams): Promise<SignalingAnswer> {
    if (this.feeds.get(params.feed) === null) throw noPublisher(params.feed);
    const place = this.#admission.admit('whep', shareOf(params));
    // Held meanwhile: its publisher may leave, and a viewer of a feed that was dropped would never see another one.
    const feed = this.feeds.obtain(params.feed);
    try {
      if (!(await feed.whenReady(feed.hasPublisher ? READY_TIMEOUT_MS : 0))) throw noPublisher(params.feed);
      const request = { ...params, keyId: keyOf(params) };
      return this.#opened(await openViewerSession(this.#context(place), feed, request), place);
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    } finally {
      this.feeds.release(feed);
    }
  }

  /** Handles a PATCH to a session. Throws SignalingError, even if the session is someone else's. */
  patchSession(params: SessionReference & { ifMatch: string | null; fragment: string }): PatchResult {
    return this.#named(params).patch(params.ifMatch, params.fragment);
  }

  /** Ends a session; one that ended a moment ago counts as ended. Throws SignalingError SESSION_NOT_FOUND. */
  closeSession(reference: SessionReference): void {
    const ended = this.#ended.get(reference.sessionId, performance.now());
    if (ended !== null && mayTouch(ended, reference)) return;
    this.#named(reference).close();
  }

  sessionInfo(reference: SessionReference): SessionInfo {
    return this.#named(reference).info;
  }

  /** Ends every session that was opened with this key. Returns their number. */
  endSessionsOf(keyId: string): number {
    this.#revoked.add(keyId);
    return this.#end((session) => session.keyId === keyId);
  }

  /** Ends every session of a key that is none of these: the owner of the keys may have been away when one was revoked. */
  endSessionsExcept(keyIds: readonly string[]): number {
    const good = new Set<string | null>([null, ...keyIds]);
    return this.#end((session) => !good.has(session.keyId));
  }

  session(sessionId: string): MediaSession {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw new SignalingError('SESSION_NOT_FOUND', 'no such session');
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
    await this.#inTurn(() => {});
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

  #named(reference: SessionReference): MediaSession {
    const session = this.session(reference.sessionId);
    if (!mayTouch(session, reference)) throw new SignalingError('SESSION_NOT_FOUND', 'no such session');
    return session;
  }

  /** Whether a publisher with this key may have the feed now. */
  #isFree(feed: string, publisherKey: string | null): boolean {
    if (this.#flows.fills(feed)) return false;
    const holder = this.#holders.get(feed);
    return !holder?.alive || (publisherKey !== null && holder.publisherKey === publisherKey);
  }

  /** A publisher is connected and wants its feed; the present one, if it makes room, is ended. */
  #claim(session: MediaSession): boolean {
    if (!this.#isFree(session.feed, session.publisherKey)) return false;
    const holder = this.#holders.get(session.feed);
    this.#holders.set(session.feed, session);
    holder?.close();
    return true;
  }

  #endPublishers(feed: string): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.kind === 'whip' && session.feed === feed) session.close();
    }
  }

  #context(place: Place): SessionContext {
    return {
      datapath: this.#options.datapath,
      logger: this.#options.logger,
      onConnected: () => place.settle(),
      onClosed: (session, reason) => {
        place[Symbol.dispose]();
        this.#closed(session, reason);
      },
    };
  }

  #end(isMeant: (session: MediaSession) => boolean): number {
    const sessions = [...this.#sessions.values()].filter(isMeant);
    for (const session of sessions) session.close();
    return sessions.length;
  }

  #opened(session: MediaSession, place: Place): SignalingAnswer {
    if (session.keyId !== null && this.#revoked.has(session.keyId)) {
      session.close();
      throw new SignalingError('SESSION_NOT_FOUND', 'the key was revoked while the session was opened');
    }
    // Closed before it could be listed, as by a datapath that ends.
    if (session.info.state === 'closed') place[Symbol.dispose]();
    else this.#sessions.set(session.id, session);
    this.#options.onEvent({ event: 'session-opened', session: session.info });
    return { sessionId: session.id, etag: session.info.etag, answer: session.answer };
  }

  #closed(session: MediaSession, reason: string): void {
    if (this.#holders.get(session.feed) === session) this.#holders.delete(session.feed);
    if (!this.#sessions.delete(session.id)) return;
    this.#ended.add(session, performance.now());
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

function keyOf({ owner, keyId }: OfferParams): string | null {
  return owner === undefined ? (keyId ?? null) : owner.keyId;
}

/** The owner that the session counts for. */
function shareOf(params: OfferParams): string {
  const key = keyOf(params);
  return key === null ? `peer ${params.peer ?? ''}` : `key ${key}`;
}

function noPublisher(feed: string): SignalingError {
  return new SignalingError('NO_PUBLISHER', `feed ${feed} has no publisher`, { retryAfterS: 2 });
}

function describe(what: string, error: unknown): string {
  return `${what}: ${error instanceof Error ? error.message : String(error)}`;
}
