import type { Logger } from 'pino';
import { messageOf } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import type { CloseReason, Datapath, MediaTransport } from '../datapath/datapath.ts';
import type { LayerName } from '../sfu/layer.ts';
import { agree, type Proposal, readAnswer } from './agree.ts';
import type { NamedCandidate } from './ice-lines.ts';
import type { LocalSide } from './local-side.ts';
import { addressesOf, lookupInTurn } from './name-lookup.ts';
import type { Offer } from './offer.ts';
import { pauseAfter, type RetryPace } from './retry-pause.ts';
import { deleteSession, HubError, patchAnswer, postOffer } from './whip-client.ts';

/** The other server learns by DTLS that a session ends; no one waits long for its answer to the DELETE. */
const FAREWELL_TIMEOUT_MS = 500;

/** The other server. */
export interface RemoteTarget {
  readonly feed: string;
  readonly layer?: LayerName | undefined;
  readonly url: string;
  readonly token?: string | undefined;
  readonly tlsFingerprint?: string | undefined;
  readonly ca?: string | undefined;
}

/** The state of the session. */
export interface RemoteState {
  readonly feed: string;
  readonly layer: LayerName;
  readonly url: string;
  readonly state: 'idle' | 'connecting' | 'connected' | 'failed';
  readonly reason: string | null;
  readonly code: string | null;
  readonly retryInMs: number | null;
  readonly connections: number;
  /** Unix time since when it is in this state. */
  readonly sinceMs: number;
}

/** What one session carries. */
export interface RemoteMedia {
  /** Called a few times a second. */
  tick(nowMs: number): void;
  close(): void;
  /** True if a new session would carry something that this one cannot, such as sound that came later. */
  readonly outdated?: boolean;
}

/** One side of a session about to be opened. */
export interface RemoteDraft extends Proposal {
  /** The server agreed. Throws HubError if the agreement is useless. */
  open(answer: Offer): RemoteMedia;
  /** The server makes an offer of its own instead: what we answer. Absent if that cannot be. Throws SignalingError. */
  accept?(offer: Offer): Accepted;
}

/** What the other server agreed to. */
export interface Accepted {
  readonly answer: string;
  /** Begins once the server has the answer. */
  open(): RemoteMedia;
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
  readonly pace: RetryPace;
  /** Whether the server is somebody else's: its name is looked up in turn. */
  readonly foreign: boolean;
  /** Why it failed, for people; the error's message if it is left out. */
  readonly explain?: (error: HubError) => string;
  /** Whether a session is of use now; takes its time to say no. */
  readonly whenReady: () => Promise<boolean>;
  readonly draft: (transport: MediaTransport, local: LocalSide) => RemoteDraft;
}

/** A session with another server, kept open for as long as it is wanted: what publishing to it and pulling from it share. */
export class RemoteFlow implements AsyncDisposable {
  readonly #options: RemoteFlowOptions;
  readonly #abort = new AbortController();
  #status: RemoteState;
  #media: RemoteMedia | null = null;
  #transport: MediaTransport | null = null;
  #connectedAtMs: number | null = null;
  #running: Promise<void> | null = null;

  constructor(options: RemoteFlowOptions) {
    this.#options = options;
    const { feed, url, layer = 'high' } = options.config;
    const sinceMs = Date.now();
    this.#status = {
      feed,
      layer,
      url,
      state: 'idle',
      reason: null,
      code: null,
      retryInMs: null,
      connections: 0,
      sinceMs,
    };
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
    if (this.#media?.outdated === true) this.#transport?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<false>();
    signal.addEventListener('abort', () => resolve(false), { once: true });
    let failures = 0;
    while (!signal.aborted) {
      if (!(await Promise.race([this.#options.whenReady(), aborted]))) {
        if (this.#status.state !== 'idle') this.#setStatus({ state: 'idle' });
        continue;
      }
      this.#connectedAtMs = null;
      try {
        await this.#once(signal);
      } catch (error) {
        if (signal.aborted) break;
        failures = this.#wasStable ? 0 : failures + 1;
        await this.#pause(error, failures, signal);
      }
    }
    this.#setStatus({ state: 'idle' });
  }

  /** Whether the last session held long enough to count from the beginning again. */
  get #wasStable(): boolean {
    const since = this.#connectedAtMs;
    return since !== null && performance.now() - since >= this.#options.pace.stableMs;
  }

  /** One session, from the offer to its end. Ends by throwing why, or quietly when aborted. */
  async #once(signal: AbortSignal): Promise<void> {
    const { config, datapath, draft, requestTimeoutMs } = this.#options;
    // Why the last try failed holds until this one is better.
    const { reason, code } = this.#status;
    this.#setStatus({ state: 'connecting', reason, code });
    const transport = await datapath.openTransport('controlling');
    this.#transport = transport;
    const ended = endOf(transport);
    const close = (): void => transport.close();
    signal.addEventListener('abort', close, { once: true });
    let resource: string | null = null;
    try {
      const { local: ice, candidates } = transport;
      const own = { ice, candidates, fingerprint: datapath.fingerprint };
      const drafted = draft(transport, own);
      const { open, accept } = drafted;
      const access = this.#access(requestTimeoutMs);
      const response = await agree(
        drafted,
        (offer) => postOffer(config.url, offer, access, signal),
        (superseded) => this.#end(superseded),
      );
      resource = response.resource;
      const answer = readAnswer(response.answer);
      this.#media = response.countered ? await this.#accept(answer, resource, accept, signal) : open(answer);
      this.#connect(transport, answer);
      const end = await ended;
      // A server that fell silent would not answer the DELETE either.
      if (end === 'silent') resource = null;
      // Our own doing: on request, or because a new session is worth more.
      if (signal.aborted || end === 'closed') return;
      const hubCode = response.namesRelay && end === 'connect-timeout' ? 'RELAY_NEEDED' : undefined;
      throw new HubError('HUB_SILENT', `the connection ended: ${end}`, { ended: end, hubCode });
    } finally {
      signal.removeEventListener('abort', close);
      this.#media?.close();
      this.#media = null;
      this.#transport = null;
      transport.close();
      if (resource !== null) await this.#end(resource);
    }
  }

  async #accept(
    offer: Offer,
    resource: string | null,
    accept: RemoteDraft['accept'],
    signal: AbortSignal,
  ): Promise<RemoteMedia> {
    const { config, requestTimeoutMs } = this.#options;
    if (accept === undefined || resource === null)
      throw new HubError(
        'HUB_REFUSED',
        'the server answers with its own offer, which cannot be accepted here',
        {
          status: 406,
        },
      );
    const { answer, open } = accept(offer);
    await patchAnswer(resource, config.url, answer, this.#access(requestTimeoutMs), signal);
    return open();
  }

  #connect(transport: MediaTransport, answer: Offer): void {
    const late = setTimeout(() => transport.close('connect-timeout'), this.#options.connectTimeoutMs);
    transport.events.on('state', (state) => {
      if (state === 'connecting') return;
      clearTimeout(late);
      if (state !== 'connected') return;
      this.#connectedAtMs = performance.now();
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
      const addresses = await addressesOf(name);
      if (transport.state === 'closed') return;
      for (const { address } of addresses) transport.addRemoteCandidate({ address, port });
    } catch (error) {
      this.#options.logger.debug({ err: error, name }, 'a candidate of the server has no address');
    }
  }

  async #end(resource: string): Promise<void> {
    const { config, logger } = this.#options;
    try {
      const until = AbortSignal.timeout(FAREWELL_TIMEOUT_MS);
      await deleteSession(resource, config.url, this.#access(FAREWELL_TIMEOUT_MS), until);
    } catch (error) {
      // The server notices the silence by itself; if the link is down, no DELETE arrives.
      logger.debug({ err: error }, 'the session could not be ended at the server');
    }
  }

  #access(timeoutMs: number) {
    const { config, foreign } = this.#options;
    const { token, tlsFingerprint, ca } = config;
    return { token, tlsFingerprint, ca, timeoutMs, lookup: foreign ? lookupInTurn : undefined };
  }

  async #pause(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    const { logger, doing, pace, explain } = this.#options;
    const hubError = error instanceof HubError ? error : null;
    const retryInMs = pauseAfter(hubError, failures, pace);
    const said = messageOf(error);
    const reason = hubError === null || explain === undefined ? said : explain(hubError);
    const code = hubError?.hubCode ?? hubError?.code ?? 'INTERNAL';
    if (hubError === null) logger.error({ err: error }, `${doing} failed unexpectedly`);
    else if (failures <= 1) logger.warn({ code, reason }, `${doing} failed; trying on`);
    this.#setStatus({ state: 'failed', reason, code, retryInMs });
    // An abort ends the pause early; the loop sees it.
    await pause(retryInMs, signal);
  }

  #setStatus(change: Partial<RemoteState>): void {
    const sinceMs = change.state === this.#status.state ? this.#status.sinceMs : Date.now();
    this.#status = { ...this.#status, reason: null, code: null, retryInMs: null, sinceMs, ...change };
    this.#options.onStatus(this.#status);
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
