import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { messageOf } from '../../common/errors.ts';
import { LogLimiter } from '../../common/log-limiter.ts';
import { FeedRegistry } from '../sfu/feed-registry.ts';
import { type LayerName, layerKey } from '../sfu/layer.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import type { SessionContext } from '../signaling/accept-offer.ts';
import { SignalingError } from '../signaling/errors.ts';
import type { LayerChoice, LayerWish, MediaSession } from '../signaling/media-session.ts';
import type { PatchResult } from '../signaling/session.ts';
import { openViewerSession } from '../signaling/whep.ts';
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

/** Errors that retrying does not fix. */
const refusedForGood: ReadonlySet<string> = new Set([
  'SDP_INVALID',
  'TRACKS_UNSUPPORTED',
  'CODEC_UNSUPPORTED',
]);

interface OfferParams {
  readonly feed: string;
  readonly sdp: string;
  readonly peer: string | null;
  readonly keyId?: string | null;
  readonly owner?: SessionOwner | undefined;
}

interface LayerClaim {
  readonly feed: string;
  readonly layer: LayerName | null;
  readonly publisherKey: string | null;
}

/** What the service is built from. */
export interface MediaServiceOptions {
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onEvent: (event: MediaEvent) => void;
}

/** The media plane of one machine: feeds, sessions, ingests and pushes over one datapath. */
export class MediaService implements AsyncDisposable {
  readonly feeds: FeedRegistry;
  readonly #options: MediaServiceOptions;
  readonly #sessions = new Map<string, MediaSession>();
  /** The publisher that has a layer of a feed, by their names. */
  readonly #holders = new Map<string, MediaSession>();
  readonly #ended = new EndedSessions();
  /** Revoked keys: their offers that are still in progress fail. Ids are never used again. */
  readonly #revoked = new Set<string>();
  readonly #admission = new Admission();
  readonly #refusals: LogLimiter;
  readonly #flows: ConfiguredFlows;
  readonly #startedMs = performance.now();
  #maxBitrateKbps = 20_000;
  #problems: string[] = [];
  /** Why the UDP port of all sessions was not opened when it was set. */
  #portProblem: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  readonly #inTurn = pLimit(1);

  constructor(options: MediaServiceOptions) {
    this.#options = options;
    const { datapath, logger, onEvent } = options;
    this.#refusals = new LogLimiter({ logger });
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
  async whipOffer(
    params: OfferParams & { publisherKey: string | null; layer?: LayerName | undefined },
  ): Promise<SignalingAnswer> {
    const { layer = 'high' } = params;
    const place = this.#admission.admit('whip', shareOf(params));
    const feed = this.feeds.obtain(params.feed);
    try {
      if (!this.#isFree({ ...params, layer }))
        throw new SignalingError('FEED_BUSY', `feed ${params.feed} has a publisher`, { retryAfterS: 2 });
      const session = await openPublisherSession(
        this.#context(place),
        layer === 'low' ? feed.openLow() : feed,
        {
          ...params,
          layer,
          keyId: keyOf(params),
          maxBitrateKbps: this.#maxBitrateKbps,
          claim: (claimant) => this.#claim(claimant),
        },
      );
      return this.#opened(session, place);
    } catch (error) {
      place[Symbol.dispose]();
      this.#noteRefusal(params, error);
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

  /** Accepts a viewer's choice of a layer and returns what it gets. Throws SignalingError. */
  selectLayer({ wish, ...reference }: SessionReference & { wish: LayerWish }): LayerChoice {
    return this.#named(reference).select(wish);
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

  /** Ends every session of any other key: the owner of the keys may have been away when one was revoked. */
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
      problems: this.#presentProblems(),
      pushes: this.#flows.pushes(),
      pulls: this.#flows.pulls(),
      outputs: this.#flows.outputs(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => {});
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const session of [...this.#sessions.values()]) session.close();
    await this.#flows[Symbol.asyncDispose]();
    this.#refusals[Symbol.dispose]();
    this.feeds[Symbol.dispose]();
  }

  async #apply(config: MediaConfig): Promise<{ problems: string[] }> {
    this.#timer ??= setInterval(this.#tick, TICK_MS);
    const { datapath } = this.#options;
    const problems: string[] = [];
    this.#maxBitrateKbps = config.maxPublisherBitrateKbps;
    this.#portProblem = null;
    try {
      const { udpPort, tcpPort, listenAddresses } = config;
      await datapath.listen({ udpPort, tcpPort, listenAddresses });
    } catch (error) {
      this.#portProblem = messageOf(error);
    }
    await this.#flows.apply(config, problems);
    this.#problems = problems;
    return { problems: this.#presentProblems() };
  }

  /** The port is tried again and again: once it is open, nothing is wrong with it any more. */
  #presentProblems(): string[] {
    const isOpen = this.#options.datapath.bound.length > 0;
    return this.#portProblem === null || isOpen ? this.#problems : [this.#portProblem, ...this.#problems];
  }

  /** Cameras seldom show why they were refused, and their owner looks for them here. */
  #noteRefusal({ feed, peer }: OfferParams, error: unknown): void {
    if (!(error instanceof SignalingError) || !refusedForGood.has(error.code)) return;
    const fields = { feed, peer, code: error.code, reason: error.message };
    this.#refusals.log('warn', 'publisher', fields, 'a publisher was refused');
  }

  #named(reference: SessionReference): MediaSession {
    const session = this.session(reference.sessionId);
    if (!mayTouch(session, reference)) throw new SignalingError('SESSION_NOT_FOUND', 'no such session');
    return session;
  }

  /**
   * Whether a publisher may have the layer now: one with another key than that of the feed's publisher may not. Where nobody needs a
   * key, as in a simulation, nobody takes over a layer that has a publisher.
   */
  #isFree({ feed, layer, publisherKey }: LayerClaim): boolean {
    if (this.#flows.fills(feed)) return false;
    const [own, full] = [this.#holders.get(layerKey({ feed, layer })), this.#holders.get(feed)];
    const isStrange = (holder?: MediaSession) => holder?.alive && holder.publisherKey !== publisherKey;
    if (isStrange(own) || isStrange(full)) return false;
    return !own?.alive || publisherKey !== null;
  }

  /** A publisher is connected and wants its feed; the current one, if it makes room, is ended. */
  #claim(session: MediaSession): boolean {
    const { feed, publisherKey, layer = 'high' } = session;
    if (!this.#isFree({ feed, layer, publisherKey })) return false;
    const key = layerKey(session);
    const holder = this.#holders.get(key);
    this.#holders.set(key, session);
    holder?.close();
    // The small layer of somebody else shows another picture.
    const small = this.#holders.get(layerKey({ feed, layer: 'low' }));
    if (small !== undefined && small.publisherKey !== publisherKey) small.close();
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
    const key = layerKey(session);
    if (this.#holders.get(key) === session) this.#holders.delete(key);
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
