import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { type RawData, WebSocket } from 'ws';
import { Backoff } from '../../common/backoff.ts';
import { describeError } from '../../common/errors.ts';
import { parseJsonText } from '../../common/json-text.ts';
import { LogLimiter } from '../../common/log-limiter.ts';
import { pause } from '../../common/pause.ts';
import { TokenBucket } from '../../common/token-bucket.ts';
import {
  type AgentDown,
  type AgentUp,
  agentDownSchema,
  type HubLink,
  linkClose,
  linkLimits,
  routes,
} from '../contract/index.ts';
import { followLinks, PinMismatchError } from '../discovery/index.ts';
import type { NetworkEvents } from '../platform/network-monitor.ts';
import type { HubCandidate, HubLocator } from './hub-locator.ts';
import { needsTls, problemCode } from './hub-refusal.ts';
import { LinkProbe } from './link-probe.ts';
import { reachHub } from './reach-hub.ts';

type StatusMessage = Extract<AgentUp, { type: 'status' }>;

/** Why a link ended. `moved`: another try is worth it at once. */
interface Outcome {
  readonly refused: boolean;
  readonly reason: string;
  readonly moved?: boolean;
}

/** What a camera's link needs of the camera. */
export interface HubLinkOptions {
  readonly locator: HubLocator;
  readonly network: NetworkEvents;
  readonly hello: () => Omit<Extract<AgentUp, { type: 'hello' }>, 'type'>;
  readonly status: () => Omit<StatusMessage, 'type' | 'sentAt'>;
  /** Key for the hub; null if it needs none. Read again for each try, because adoption changes it. */
  readonly token: () => string | null;
  /**
   * Whether any hub may command this camera because it obeys everyone who reaches it. If false, a hub has to adopt it first.
   */
  readonly obeysAll?: boolean;
  /** Why that hub may not see this camera's key; null if it may. */
  readonly withhold?: (hub: HubCandidate) => string | null;
  /** Certificate to accept; null: the one the hub announces. */
  readonly fingerprint: () => string | null;
  readonly onCommand: (command: Exclude<AgentDown, { type: 'welcome' | 'ping' }>) => void;
  /** Called every few seconds with whether a take runs on the hub, even if this camera has no part in it. */
  readonly onHubTake?: (running: boolean) => void;
  readonly onState: (link: HubLink) => void;
  readonly log: Logger;
}

const statusEveryMs = 2000;
const retryLimits = { firstMs: 250, maxMs: 5000 };
/** How often sightings of hubs may interrupt an attempt. */
const nudgePerSecond = 0.2;
const messagesPerSecond = 50;
const messageBurst = 200;
/** Changes within this time are reported together. */
const gatherMs = 20;

/** A camera's side of the link to its hub: finds the hub, holds the link open, and opens it again by itself. */
export class HubLinkClient {
  readonly #options: HubLinkOptions;
  #socket: WebSocket | null = null;
  #wake = Promise.withResolvers<void>();
  /** Reacts to a change of the network or of the hub's address while a link is open. */
  #doubt: () => void = () => {};
  readonly #backoff = new Backoff(retryLimits);
  #drop: () => void = () => {};
  #keyUnknown = false;
  /** Addresses of the hub that the present or last link tried. */
  #tried: readonly string[] = [];
  #reported: Omit<StatusMessage, 'type' | 'sentAt'> | null = null;
  #telling: NodeJS.Timeout | null = null;
  readonly #limiter: LogLimiter;

  constructor(options: HubLinkOptions) {
    this.#options = options;
    this.#limiter = new LogLimiter({ logger: options.log });
  }

  /** Until abort. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { locator, network, log } = this.#options;
    const nudge = () => {
      this.#wake.resolve();
      this.#doubt();
    };
    const onLinks = () => {
      this.#backoff.reset();
      nudge();
    };
    // Anyone can cause changes over mDNS; they must cause no storm of connections and must not keep an attempt from finishing.
    const nudges = new TokenBucket({ burst: 4, perSecond: nudgePerSecond });
    const onHub = () => {
      if (nudges.take()) nudge();
    };
    const stops = [locator.subscribe(onHub), followLinks(network, onLinks)];
    while (!signal.aborted) {
      const hub = locator.current();
      if (hub === null) {
        this.#tell('searching', null, null, 'No hub found on the network yet.');
        await this.#pause(retryLimits.maxMs, signal);
        continue;
      }
      const startedAtMs = performance.now();
      const outcome = await this.#once(hub, signal);
      if (signal.aborted) break;
      if (performance.now() - startedAtMs > 10_000) this.#backoff.reset();
      locator.ended();
      locator.reportFailure(...this.#tried);
      const retryMs = outcome.moved === true ? 0 : this.#backoff.nextMs();
      log.info({ hub: hub.name, url: hub.url, reason: outcome.reason, retryMs }, 'not linked to the hub');
      this.#tell(outcome.refused ? 'refused' : 'connecting', hub.id, hub, outcome.reason);
      await this.#pause(retryMs, signal);
    }
    for (const stop of stops) stop();
    if (this.#telling !== null) clearTimeout(this.#telling);
  }

  /** Whether the hub, after it showed its own key, did not know this camera's key: the camera was removed there. */
  get keyUnknown(): boolean {
    return this.#keyUnknown;
  }

  /** The key changed or is gone: the link that the former key opened ends, and the new one is tried at once. */
  keyChanged(): void {
    this.#keyUnknown = false;
    this.#backoff.reset();
    this.#drop();
    this.#wake.resolve();
  }

  /** The status may have changed: the hub gets it now instead of with the next heartbeat. */
  statusChanged(): void {
    if (this.#socket === null) return;
    this.#telling ??= setTimeout(() => {
      this.#telling = null;
      if (!isDeepStrictEqual(this.#options.status(), this.#reported)) this.#sendStatus();
    }, gatherMs);
  }

  /** Sends a message if the link is open. What is not sent reaches the hub with the status of the next link. */
  send(message: AgentUp): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** One link from opening to end. Returns why it ended. */
  async #once(hub: HubCandidate, signal: AbortSignal): Promise<Outcome> {
    if (this.#options.token() === null && this.#options.obeysAll !== true) {
      this.#tried = [];
      return {
        refused: true,
        reason: 'No hub has adopted this camera yet. Adopt it on the page of the hub.',
      };
    }
    const withheld = this.#options.withhold?.(hub) ?? null;
    if (withheld !== null) {
      this.#tried = [];
      return { refused: false, reason: withheld };
    }
    this.#tell('connecting', hub.id, hub, null);
    this.#tried = [hub.url, ...hub.otherUrls];
    const retry = new AbortController();
    this.#doubt = () => retry.abort();
    // A link that the former key opens must not outlive it: the camera may have been made to forget that hub.
    this.#drop = () => retry.abort();
    let opened: { readonly socket: WebSocket; readonly url: string };
    try {
      opened = await this.#open(hub, AbortSignal.any([signal, retry.signal]));
    } catch (error) {
      if (retry.signal.aborted) return moved;
      return { refused: error instanceof PinMismatchError, reason: describeError(error) };
    }
    const { socket, url } = opened;
    this.#tried = [url];
    return await this.#hold(socket, at(hub, url), signal);
  }

  /** Runs the link on this socket until its end. */
  async #hold(socket: WebSocket, hub: HubCandidate, signal: AbortSignal): Promise<Outcome> {
    const end = Promise.withResolvers<Outcome>();
    let heardAtMs = performance.now();
    using probe = new LinkProbe(socket, () => end.resolve(moved));
    this.#doubt = () => {
      if (this.#socket === socket) probe.ask();
      else end.resolve(moved);
    };
    this.#drop = () => end.resolve({ refused: false, reason: 'the key changed', moved: true });
    socket.on('pong', () => probe.heard());
    socket.on('unexpected-response', (_request, response) => {
      const status = response.statusCode ?? 0;
      this.#keyUnknown = status === 401;
      void problemCode(response).then((code) => {
        end.resolve({ refused: status === 401 || status === 403, reason: refusal(status, code) });
        socket.terminate();
      });
    });
    socket.on('error', (error) => end.resolve({ refused: false, reason: describeError(error) }));
    socket.on('close', (code, reason) => {
      const text = reason.toString();
      end.resolve({
        refused: code === linkClose.wrongIdentity,
        reason: text === '' ? `closed (${code})` : text,
      });
    });
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'hello', ...this.#options.hello() } satisfies AgentUp)),
    );
    const rate = new TokenBucket({ burst: messageBurst, perSecond: messagesPerSecond });
    socket.on('message', (data) => {
      if (!rate.take()) return end.resolve({ refused: false, reason: 'the hub sends too much at once' });
      heardAtMs = performance.now();
      probe.heard();
      const wrong = this.#hear(data, socket, hub);
      if (wrong !== null) end.resolve({ refused: true, reason: wrong });
    });
    const beat = setInterval(() => {
      if (performance.now() - heardAtMs > linkLimits.silentAfterMs) {
        end.resolve({ refused: false, reason: 'the hub fell silent' });
      } else if (this.#socket === socket) {
        this.#sendStatus();
      }
    }, statusEveryMs);
    const stop = () => end.resolve({ refused: false, reason: 'this camera stops' });
    signal.addEventListener('abort', stop, { once: true });
    // It may have been aborted since the socket was opened.
    if (signal.aborted) stop();
    try {
      return await end.promise;
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(beat);
      this.#doubt = () => {};
      this.#drop = () => {};
      this.#socket = null;
      this.#reported = null;
      await ended(socket, signal.aborted);
    }
  }

  async #open(hub: HubCandidate, signal: AbortSignal): Promise<{ socket: WebSocket; url: string }> {
    const { token: readToken, fingerprint } = this.#options;
    const token = readToken();
    const pin = fingerprint() ?? hub.tlsFingerprint;
    const { url: base, tls } = await reachHub(hub, { pin, hasKey: token !== null }, signal);
    const url = new URL(routes.agentLink.path, `${base}/`);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const maxPayload = linkLimits.maxMessageBytes;
    const socket = new WebSocket(url, { headers, handshakeTimeout: 5000, maxPayload, ...tls });
    return { socket, url: base };
  }

  /** Takes what the hub says. Returns a reason if it is not this camera's hub. */
  #hear(data: RawData, socket: WebSocket, hub: HubCandidate): string | null {
    const message = parseDown(data);
    if (message === null) {
      this.#limiter.log(
        'warn',
        'unknown',
        { hub: hub.name },
        'the hub sent a message this camera does not understand',
      );
      return null;
    }
    const isLinked = this.#socket === socket;
    if (message.type === 'welcome') {
      if (isLinked) return null;
      this.#socket = socket;
      this.#keyUnknown = false;
      this.#options.log.info({ hub: message.hubName, url: hub.url }, 'linked to the hub');
      this.#options.locator.linked(hub);
      this.#tell('connected', message.hubId, { ...hub, name: message.hubName }, null);
      this.#sendStatus();
    } else if (!isLinked) {
      return 'the server there sends commands before it welcomes the camera: it is not a hub';
    } else if (message.type === 'ping') {
      this.send({ type: 'pong', echo: message.echo, at: Date.now() });
      this.#options.onHubTake?.(message.take ?? false);
    } else {
      this.#options.onCommand(message);
    }
    return null;
  }

  #sendStatus(): void {
    const status = this.#options.status();
    this.#reported = status;
    this.send({ type: 'status', ...status, sentAt: new Date().toISOString() });
  }

  #tell(state: HubLink['state'], id: string | null, hub: HubCandidate | null, reason: string | null): void {
    this.#options.onState({ state, id, name: hub?.name ?? null, url: hub?.url ?? null, reason });
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    this.#wake = Promise.withResolvers<void>();
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    await Promise.race([pause(ms, either), this.#wake.promise]);
    over.abort();
  }
}

/** The hub, at the address that answers. */
function at(hub: HubCandidate, url: string): HubCandidate {
  return { ...hub, url, otherUrls: [hub.url, ...hub.otherUrls].filter((other) => other !== url) };
}

const moved: Outcome = { refused: false, reason: 'the network changed', moved: true };

function parseDown(data: RawData): AgentDown | null {
  try {
    const result = agentDownSchema.safeParse(parseJsonText(data.toString()));
    return result.success ? result.data : null;
  } catch {
    // Not JSON: the caller says so.
    return null;
  }
}

function refusal(status: number, code: string | null): string {
  if (code === 'TLS_REQUIRED') return needsTls;
  if (status === 401) return 'The hub does not know the key of this camera. Adopt it on the page of the hub.';
  if (status === 403) return 'The key of this camera opens nothing on the hub.';
  if (status === 404) return 'What answers there is not a Rushlight hub.';
  return `The hub answered with status ${status}.`;
}

/** Closes politely at a clean stop, and at once otherwise: on a dead link the answer never comes. */
async function ended(socket: WebSocket, politely: boolean): Promise<void> {
  socket.on('error', () => {}); // the link is over; how it breaks now does not matter
  const closed = new Promise<void>((resolve) => {
    if (socket.readyState === WebSocket.CLOSED) resolve();
    else socket.once('close', () => resolve());
  });
  if (politely && socket.readyState === WebSocket.OPEN) {
    socket.close(1000, 'the camera stops');
    await Promise.race([closed, sleep(500)]);
  }
  socket.terminate();
  await closed;
}
