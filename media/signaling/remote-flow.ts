/** A session with another server, kept open for as long as it is wanted: what publishing to it and pulling from it share. */
import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { CloseReason, Datapath, MediaTransport } from '../datapath/datapath.ts';
import type { LocalSide } from './answer.ts';
import type { NamedCandidate } from './ice-lines.ts';
import { type Offer, parseAnswer } from './offer.ts';
import { pauseAfter } from './retry-pause.ts';
import { deleteSession, HubError, postOffer } from './whip-client.ts';

/** The other server hears by DTLS that a session ends; nobody waits long for telling it by HTTP as well. */
const FAREWELL_TIMEOUT_MS = 500;

/** The other server. */
export interface RemoteTarget {
  readonly feed: string;
  readonly url: string;
  readonly token?: string | undefined;
  readonly tlsFingerprint?: string | undefined;
}

/** How the session stands. */
export interface RemoteState {
  readonly feed: string;
  readonly url: string;
  readonly state: 'idle' | 'connecting' | 'connected' | 'failed';
  readonly reason: string | null;
  readonly code: string | null;
  readonly retryInMs: number | null;
  readonly connections: number;
}

/** What one session carries. */
export interface RemoteMedia {
  /** Called a few times a second. */
  tick(nowMs: number): void;
  close(): void;
}

/** One side of a session about to be opened. */
export interface RemoteDraft {
  readonly offer: string;
  /** The server agreed. Throws HubError where what it agreed to is of no use. */
  open(answer: Offer): RemoteMedia;
}

/** What a flow needs. */
export interface RemoteFlowOptions {
  readonly config: RemoteTarget;
  readonly datapath: Datapath;
  readonly logger: Logger;
  readonly onStatus: (status: RemoteState) => void;
  /** For logs: `publishing`. */
  readonly doing: string;
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Whether a session is of use now; takes its time to say no. */
  readonly whenReady: () => Promise<boolean>;
  readonly draft: (transport: MediaTransport, local: LocalSide) => RemoteDraft;
}

/** See the head of this file. */
export class RemoteFlow implements AsyncDisposable {
  readonly #options: RemoteFlowOptions;
  readonly #abort = new AbortController();
  #status: RemoteState;
  #media: RemoteMedia | null = null;
  #running: Promise<void> | null = null;

  constructor(options: RemoteFlowOptions) {
    this.#options = options;
    const { feed, url } = options.config;
    this.#status = { feed, url, state: 'idle', reason: null, code: null, retryInMs: null, connections: 0 };
  }

  get status(): RemoteState {
    return this.#status;
  }

  start(): void {
    this.#running ??= this.#run(this.#abort.signal);
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    this.#media?.tick(nowMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      if (!(await this.#options.whenReady())) {
        if (this.#status.state !== 'idle') this.#setStatus({ state: 'idle' });
        continue;
      }
      const connectedBefore = this.#status.connections;
      try {
        await this.#once(signal);
      } catch (error) {
        if (signal.aborted) break;
        failures = this.#status.connections > connectedBefore ? 0 : failures + 1;
        await this.#pause(error, failures, signal);
      }
    }
    this.#setStatus({ state: 'idle' });
  }

  /** One session, from the offer to its end. Ends by throwing why, or quietly when aborted. */
  async #once(signal: AbortSignal): Promise<void> {
    const { config, datapath, draft, requestTimeoutMs } = this.#options;
    this.#setStatus({ state: 'connecting' });
    const transport = await datapath.openTransport('controlling');
    const ended = endOf(transport);
    const close = (): void => transport.close();
    signal.addEventListener('abort', close, { once: true });
    let resource: string | null = null;
    try {
      const { local: ice, candidates } = transport;
      const { offer, open } = draft(transport, { ice, candidates, fingerprint: datapath.fingerprint });
      const response = await postOffer(config.url, offer, { ...config, timeoutMs: requestTimeoutMs }, signal);
      resource = response.resource;
      const answer = readAnswer(response.answer);
      this.#media = open(answer);
      this.#connect(transport, answer);
      const reason = await ended;
      // Whoever fell silent is not there to be told.
      if (reason === 'silent') resource = null;
      if (!signal.aborted) throw new HubError('HUB_SILENT', `the connection ended: ${reason}`);
    } finally {
      signal.removeEventListener('abort', close);
      this.#media?.close();
      this.#media = null;
      transport.close();
      if (resource !== null) await this.#end(resource);
    }
  }

  #connect(transport: MediaTransport, answer: Offer): void {
    const late = setTimeout(() => transport.close('connect-timeout'), this.#options.connectTimeoutMs);
    transport.events.on('state', (state) => {
      if (state === 'connecting') return;
      clearTimeout(late);
      if (state !== 'connected') return;
      this.#setStatus({ state: 'connected', connections: this.#status.connections + 1 });
    });
    const { ice, candidates, fingerprints, setup } = answer;
    const dtlsRole = setup === 'active' ? 'server' : 'client';
    transport.connect({ ...ice, candidates, fingerprints, dtlsRole });
    for (const named of answer.namedCandidates) void this.#resolve(transport, named);
  }

  /** Some servers name their host instead of its addresses. */
  async #resolve(transport: MediaTransport, { name, port }: NamedCandidate): Promise<void> {
    try {
      const { address } = await lookup(name, { family: 4 });
      if (transport.state !== 'closed') transport.addRemoteCandidate({ address, port });
    } catch (error) {
      this.#options.logger.debug({ err: error, name }, 'a candidate of the server has no address');
    }
  }

  async #end(resource: string): Promise<void> {
    const { config, logger } = this.#options;
    try {
      const access = { ...config, timeoutMs: FAREWELL_TIMEOUT_MS };
      await deleteSession(resource, config.url, access, AbortSignal.timeout(FAREWELL_TIMEOUT_MS));
    } catch (error) {
      // The server notices the silence by itself; where the link is down, it cannot be told.
      logger.debug({ err: error }, 'the session could not be ended at the server');
    }
  }

  async #pause(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    const { logger, doing } = this.#options;
    const hubError = error instanceof HubError ? error : null;
    const retryInMs = pauseAfter(hubError, failures);
    const reason = error instanceof Error ? error.message : String(error);
    const code = hubError?.hubCode ?? hubError?.code ?? 'INTERNAL';
    if (hubError === null) logger.error({ err: error }, `${doing} failed unexpectedly`);
    else if (failures <= 1) logger.warn({ code, reason }, `${doing} failed; trying on`);
    this.#setStatus({ state: 'failed', reason, code, retryInMs });
    // An abort ends the pause early; the loop sees it.
    await sleep(retryInMs, undefined, { signal }).catch(() => {});
  }

  #setStatus(change: Partial<RemoteState>): void {
    this.#status = { ...this.#status, reason: null, code: null, retryInMs: null, ...change };
    this.#options.onStatus(this.#status);
  }
}

/** Throws HubError where the answer is none. */
function readAnswer(text: string): Offer {
  try {
    return parseAnswer(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HubError('HUB_REFUSED', `the server's answer cannot be used: ${reason}`, {
      status: 422,
      cause,
    });
  }
}

/** Resolves with the reason once the transport is closed. */
function endOf(transport: MediaTransport): Promise<CloseReason> {
  const { promise, resolve } = Promise.withResolvers<CloseReason>();
  transport.events.on('state', (state, reason) => {
    if (state === 'closed') resolve(reason ?? 'closed');
  });
  return promise;
}
