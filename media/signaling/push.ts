/** Publishes a feed of this machine to another hub by WHIP, for as long as it is wanted. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Datapath, MediaTransport } from '../datapath/datapath.ts';
import type { Feed } from '../sfu/feed.ts';
import { createSsrc, Viewer } from '../sfu/viewer.ts';
import { parseAnswer } from './offer.ts';
import { buildPushOffer, PUSH_PAYLOAD_TYPES } from './push-offer.ts';
import { pauseAfter } from './retry-pause.ts';
import { deleteSession, HubError, postOffer } from './whip-client.ts';

/** Short, since a feed must be back within 3 s of the link's return. */
const REQUEST_TIMEOUT_MS = 1500;
const CONNECT_TIMEOUT_MS = 3000;
const READY_POLL_MS = 1000;

export interface PushTarget {
  readonly feed: string;
  readonly url: string;
  readonly token?: string | undefined;
  readonly tlsFingerprint?: string | undefined;
}

export interface PushState {
  readonly feed: string;
  readonly url: string;
  readonly state: 'idle' | 'connecting' | 'connected' | 'failed';
  readonly reason: string | null;
  readonly code: string | null;
  readonly retryInMs: number | null;
  readonly connections: number;
}

export interface PushOptions {
  readonly config: PushTarget;
  readonly feed: Feed;
  readonly datapath: Datapath;
  readonly logger: Logger;
  readonly onStatus: (status: PushState) => void;
}

export class Push implements AsyncDisposable {
  readonly #options: PushOptions;
  readonly #abort = new AbortController();
  #status: PushState;
  #viewer: Viewer | null = null;
  #running: Promise<void> | null = null;

  constructor(options: PushOptions) {
    this.#options = options;
    const { feed, url } = options.config;
    this.#status = { feed, url, state: 'idle', reason: null, code: null, retryInMs: null, connections: 0 };
  }

  get status(): PushState {
    return this.#status;
  }

  start(): void {
    this.#running ??= this.#run(this.#abort.signal);
  }

  tick(nowMs: number): void {
    this.#viewer?.tick(nowMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      if (!(await this.#options.feed.whenReady(READY_POLL_MS))) {
        if (this.#status.state !== 'idle') this.#setStatus({ state: 'idle' });
        continue;
      }
      const connectedBefore = this.#status.connections;
      try {
        await this.#publish(signal);
      } catch (error) {
        if (signal.aborted) break;
        failures = this.#status.connections > connectedBefore ? 0 : failures + 1;
        await this.#pause(error, failures, signal);
      }
    }
    this.#setStatus({ state: 'idle' });
  }

  /** One session, from the offer to its end. Ends by throwing why, or quietly when aborted. */
  async #publish(signal: AbortSignal): Promise<void> {
    const { config, datapath } = this.#options;
    const access = { ...config, timeoutMs: REQUEST_TIMEOUT_MS };
    this.#setStatus({ state: 'connecting' });
    const transport = await datapath.openTransport('controlling');
    const ended = watch(transport);
    let resource: string | null = null;
    try {
      const tracks = createTracks(config.feed);
      const offer = this.#offer(transport, tracks);
      const response = await postOffer(config.url, offer, access, signal);
      resource = response.resource;
      this.#viewer = this.#open(transport, tracks, response.answer);
      const timer = setTimeout(() => transport.close('connect-timeout'), CONNECT_TIMEOUT_MS);
      signal.addEventListener('abort', () => transport.close(), { once: true });
      transport.events.once('state', (state) => {
        clearTimeout(timer);
        if (state === 'connected') {
          this.#setStatus({ state: 'connected', connections: this.#status.connections + 1 });
        }
      });
      const reason = await ended;
      clearTimeout(timer);
      if (!signal.aborted) throw new HubError('HUB_SILENT', `the connection ended: ${reason}`);
    } finally {
      this.#viewer?.close();
      this.#viewer = null;
      transport.close();
      if (resource !== null) await this.#end(resource);
    }
  }

  #offer(transport: MediaTransport, tracks: ReturnType<typeof createTracks>): string {
    const { feed, datapath } = this.#options;
    const local = {
      ice: transport.local,
      candidates: transport.candidates,
      fingerprint: datapath.fingerprint,
    };
    const profileLevelId = feed.video.info?.profileLevelId ?? '42e01f';
    return buildPushOffer(local, tracks, { profileLevelId, hasAudio: feed.audio !== null });
  }

  #open(transport: MediaTransport, tracks: ReturnType<typeof createTracks>, text: string): Viewer {
    const { feed } = this.#options;
    const answer = parseAnswer(text);
    const audio = answer.media.find((media) => media.kind === 'audio' && media.usable);
    const wantsAudio = audio?.direction === 'recvonly' || audio?.direction === 'sendrecv';
    const viewer = new Viewer({
      id: `push:${feed.id}`,
      peer: null,
      feed,
      transport,
      cname: tracks.cname,
      video: { payloadType: PUSH_PAYLOAD_TYPES.video, ssrc: tracks.videoSsrc },
      audio: wantsAudio ? { payloadType: PUSH_PAYLOAD_TYPES.audio, ssrc: tracks.audioSsrc } : null,
    });
    transport.connect({
      ...answer.ice,
      candidates: answer.candidates,
      fingerprints: answer.fingerprints,
      dtlsRole: answer.setup === 'active' ? 'server' : 'client',
    });
    return viewer;
  }

  async #end(resource: string): Promise<void> {
    const { config, logger } = this.#options;
    try {
      const access = { ...config, timeoutMs: REQUEST_TIMEOUT_MS };
      await deleteSession(resource, access, AbortSignal.timeout(REQUEST_TIMEOUT_MS));
    } catch (error) {
      // The hub notices the silence by itself; where the link is down, it cannot be told.
      logger.debug({ err: error }, 'the session could not be ended at the hub');
    }
  }

  async #pause(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    const hubError = error instanceof HubError ? error : null;
    const retryInMs = pauseAfter(hubError, failures);
    const reason = error instanceof Error ? error.message : String(error);
    const code = hubError?.hubCode ?? hubError?.code ?? 'INTERNAL';
    if (hubError === null) this.#options.logger.error({ err: error }, 'publishing failed unexpectedly');
    else if (failures <= 1) this.#options.logger.warn({ code, reason }, 'publishing failed; trying on');
    this.#setStatus({ state: 'failed', reason, code, retryInMs });
    // An abort ends the pause early; the loop sees it.
    await sleep(retryInMs, undefined, { signal }).catch(() => {});
  }

  #setStatus(change: Partial<PushState>): void {
    this.#status = { ...this.#status, reason: null, code: null, retryInMs: null, ...change };
    this.#options.onStatus(this.#status);
  }
}

function createTracks(feed: string) {
  return {
    cname: randomBytes(8).toString('hex'),
    streamId: feed,
    videoSsrc: createSsrc(),
    audioSsrc: createSsrc(),
  };
}

/** Resolves with the reason once the transport is closed. */
function watch(transport: MediaTransport): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  transport.events.on('state', (state, reason) => {
    if (state === 'closed') resolve(reason ?? 'closed');
  });
  return promise;
}
