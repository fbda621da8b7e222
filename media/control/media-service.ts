/** The media plane of one machine: feeds, sessions, ingests and pushes over one datapath. */
import type { Logger } from 'pino';
import { FeedRegistry } from '../sfu/feed-registry.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import { SignalingError } from '../signaling/errors.ts';
import type { MediaSession } from '../signaling/media-session.ts';
import { openViewerSession, type SessionContext } from '../signaling/whep.ts';
import { openPublisherSession } from '../signaling/whip.ts';
import { ConfiguredFlows } from './configured-flows.ts';
import type { MediaConfig, MediaEvent, MediaStatus, SessionInfo, SignalingAnswer } from './protocol.ts';

const TICK_MS = 250;
const MAX_SESSIONS = 256;
/** A first keyframe may be this far away when a viewer comes. */
const READY_TIMEOUT_MS = 2000;

export interface MediaServiceOptions {
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onEvent: (event: MediaEvent) => void;
}

export class MediaService implements AsyncDisposable {
  readonly feeds: FeedRegistry;
  readonly #options: MediaServiceOptions;
  readonly #sessions = new Map<string, MediaSession>();
  readonly #flows: ConfiguredFlows;
  readonly #startedMs = performance.now();
  #maxBitrateKbps = 20_000;
  #problems: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #work: Promise<unknown> = Promise.resolve();
  #offers: Promise<unknown> = Promise.resolve();

  constructor(options: MediaServiceOptions) {
    this.#options = options;
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
    publisherKey: string | null;
  }): Promise<SignalingAnswer> {
    // One by one: two publishers must not find the same feed free.
    const work = this.#offers.then(() => this.#openPublisher(params));
    this.#offers = work.catch(() => {
      // The caller hears of it.
    });
    return work;
  }

  async #openPublisher(params: Parameters<MediaService['whipOffer']>[0]): Promise<SignalingAnswer> {
    this.#admit();
    const feed = this.feeds.obtain(params.feed);
    try {
      const present = this.#publisherOf(params.feed);
      const takesOver =
        present !== undefined && params.publisherKey !== null && present.publisherKey === params.publisherKey;
      if (this.#flows.fills(params.feed) || (present?.alive && !takesOver)) {
        throw new SignalingError('FEED_BUSY', `feed ${params.feed} has a publisher`, { retryAfterS: 2 });
      }
      const session = await openPublisherSession(this.#context(), feed, {
        ...params,
        keyId: params.keyId ?? null,
        maxBitrateKbps: this.#maxBitrateKbps,
        replaces: present ?? null,
      });
      return this.#opened(session);
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
  }): Promise<SignalingAnswer> {
    this.#admit();
    if (this.feeds.get(params.feed) === null) throw noPublisher(params.feed);
    // Held meanwhile: its publisher may leave, and a viewer of a feed that was dropped would never see another one.
    const feed = this.feeds.obtain(params.feed);
    try {
      if (!(await feed.whenReady(feed.source === null ? 0 : READY_TIMEOUT_MS)))
        throw noPublisher(params.feed);
      const request = { ...params, keyId: params.keyId ?? null };
      return this.#opened(await openViewerSession(this.#context(), feed, request));
    } finally {
      this.feeds.release(feed);
    }
  }

  /** Ends every session that was opened with this key, and tells how many that were. */
  endSessionsOf(keyId: string): number {
    const sessions = [...this.#sessions.values()].filter((session) => session.keyId === keyId);
    for (const session of sessions) session.close();
    return sessions.length;
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

  #admit(): void {
    if (this.#sessions.size >= MAX_SESSIONS) {
      throw new SignalingError('FEED_BUSY', 'too many sessions', { retryAfterS: 10 });
    }
  }

  #opened(session: MediaSession): SignalingAnswer {
    this.#sessions.set(session.id, session);
    this.#options.onEvent({ event: 'session-opened', session: session.info });
    return { sessionId: session.id, etag: session.info.etag, answer: session.answer };
  }

  #closed(session: MediaSession, reason: string): void {
    if (!this.#sessions.delete(session.id)) return;
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

function noPublisher(feed: string): SignalingError {
  return new SignalingError('NO_PUBLISHER', `feed ${feed} has no publisher`, { retryAfterS: 2 });
}

function describe(what: string, error: unknown): string {
  return `${what}: ${error instanceof Error ? error.message : String(error)}`;
}
