/** Copies a feed of another server by WHEP, for as long as it is wanted: the mirror image of a push. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Datapath, MediaTransport } from '../datapath/datapath.ts';
import type { Feed } from '../sfu/feed.ts';
import { Publisher } from '../sfu/publisher.ts';
import { parseAnswer } from './offer.ts';
import { buildPullOffer } from './pull-offer.ts';
import type { PushState, PushTarget } from './push.ts';
import { pauseAfter } from './retry-pause.ts';
import { deleteSession, HubError, postOffer } from './whip-client.ts';

const REQUEST_TIMEOUT_MS = 3000;
const CONNECT_TIMEOUT_MS = 5000;
/** A session whose media never comes, or no longer comes, is opened anew. */
const MEDIA_TIMEOUT_MS = 10_000;

export interface PullOptions {
  readonly config: PushTarget;
  readonly feed: Feed;
  readonly datapath: Datapath;
  readonly logger: Logger;
  readonly maxBitrateKbps: number;
  readonly onStatus: (status: PushState) => void;
}

export class Pull implements AsyncDisposable {
  readonly #options: PullOptions;
  readonly #abort = new AbortController();
  #status: PushState;
  #session: { readonly publisher: Publisher; readonly transport: MediaTransport; sinceMs: number } | null =
    null;
  #running: Promise<void> | null = null;

  constructor(options: PullOptions) {
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
    const session = this.#session;
    if (session === null) return;
    session.publisher.tick(nowMs);
    const heardMs = Math.max(session.sinceMs, this.#options.feed.video.lastFrameMs ?? 0);
    if (nowMs - heardMs > MEDIA_TIMEOUT_MS) session.transport.close('silent');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const connectedBefore = this.#status.connections;
      try {
        await this.#view(signal);
      } catch (error) {
        if (signal.aborted) break;
        failures = this.#status.connections > connectedBefore ? 0 : failures + 1;
        await this.#pause(error, failures, signal);
      }
    }
    this.#setStatus({ state: 'idle' });
  }

  /** One session, from the offer to its end. Ends by throwing why, or quietly when aborted. */
  async #view(signal: AbortSignal): Promise<void> {
    const { config, datapath } = this.#options;
    const access = { ...config, timeoutMs: REQUEST_TIMEOUT_MS };
    this.#setStatus({ state: 'connecting' });
    const transport = await datapath.openTransport('controlling');
    const ended = watch(transport);
    const close = (): void => transport.close();
    signal.addEventListener('abort', close, { once: true });
    let resource: string | null = null;
    try {
      const local = {
        ice: transport.local,
        candidates: transport.candidates,
        fingerprint: datapath.fingerprint,
      };
      const response = await postOffer(config.url, buildPullOffer(local), access, signal);
      resource = response.resource;
      this.#receive(transport, response.answer);
      const reason = await ended;
      if (!signal.aborted) throw new HubError('HUB_SILENT', `the connection ended: ${reason}`);
    } finally {
      signal.removeEventListener('abort', close);
      this.#session?.publisher.close();
      this.#session = null;
      transport.close();
      if (resource !== null) await this.#end(resource);
    }
  }

  #receive(transport: MediaTransport, text: string): void {
    const { config, feed, logger, maxBitrateKbps } = this.#options;
    const answer = parseAnswer(text);
    const video = answer.media.find((media) => media.kind === 'video' && media.usable);
    const format = video?.h264.find(({ packetizationMode }) => packetizationMode === 1);
    if (video === undefined || format === undefined) {
      throw new HubError('HUB_REFUSED', 'the server has no H.264 for us', { status: 422 });
    }
    feed.video.setParameterSets(video.parameterSets);
    const audio = answer.media.find((media) => media.kind === 'audio' && media.usable);
    const hasAudio = audio?.direction === 'sendonly' || audio?.direction === 'sendrecv';
    const publisher = new Publisher({
      ...{ kind: 'pull', sessionId: null, peer: config.url, feed, transport, logger, maxBitrateKbps },
      videoPayloadType: format.payloadType,
      audioPayloadType: hasAudio ? audio.opusPayloadType : null,
    });
    this.#session = { publisher, transport, sinceMs: performance.now() };
    const late = setTimeout(() => transport.close('connect-timeout'), CONNECT_TIMEOUT_MS);
    transport.events.on('state', (state) => {
      if (state === 'connecting') return;
      clearTimeout(late);
      if (state !== 'connected') return;
      this.#setStatus({ state: 'connected', connections: this.#status.connections + 1 });
    });
    transport.connect({
      ...answer.ice,
      candidates: answer.candidates,
      fingerprints: answer.fingerprints,
      dtlsRole: answer.setup === 'active' ? 'server' : 'client',
    });
  }

  async #end(resource: string): Promise<void> {
    const { config, logger } = this.#options;
    try {
      const access = { ...config, timeoutMs: REQUEST_TIMEOUT_MS };
      await deleteSession(resource, access, AbortSignal.timeout(REQUEST_TIMEOUT_MS));
    } catch (error) {
      // The server notices the silence by itself; where the link is down, it cannot be told.
      logger.debug({ err: error }, 'the session could not be ended at the server');
    }
  }

  async #pause(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    const hubError = error instanceof HubError ? error : null;
    const retryInMs = pauseAfter(hubError, failures);
    const reason = error instanceof Error ? error.message : String(error);
    const code = hubError?.hubCode ?? hubError?.code ?? 'INTERNAL';
    const { logger } = this.#options;
    if (hubError === null) logger.error({ err: error }, 'pulling a feed failed unexpectedly');
    else if (failures <= 1) logger.warn({ code, reason }, 'pulling a feed failed; trying on');
    this.#setStatus({ state: 'failed', reason, code, retryInMs });
    // An abort ends the pause early; the loop sees it.
    await sleep(retryInMs, undefined, { signal }).catch(() => {});
  }

  #setStatus(change: Partial<PushState>): void {
    this.#status = { ...this.#status, reason: null, code: null, retryInMs: null, ...change };
    this.#options.onStatus(this.#status);
  }
}

/** Resolves with the reason once the transport is closed. */
function watch(transport: MediaTransport): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  transport.events.on('state', (state, reason) => {
    if (state === 'closed') resolve(reason ?? 'closed');
  });
  return promise;
}
