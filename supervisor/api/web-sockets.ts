import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { z } from 'zod';
import {
  feedLinkClose,
  linkLimits,
  maxPictureBytes,
  publishRoles,
  type RouteDefinition,
  routes,
} from '../contract/index.ts';
import type { ApiPorts, Caller } from '../contract/ports.ts';
import { mayCall } from './access/access-rule.ts';
import type { KeyedWork } from './access/keyed-work.ts';
import { ApiError } from './api-error.ts';
import { type AccessOptions, checkAccess, refuseKeyInTheClear } from './middleware/access.ts';
import { matchPath, pathPattern } from './path-match.ts';
import { publishOnLink, showOnLink } from './pictures/feed-link.ts';
import { problemOf } from './problem-of.ts';
import { checked } from './router.ts';

/** What the WebSockets need. */
export interface WebSocketsOptions {
  readonly ports: ApiPorts;
  readonly access: AccessOptions;
  readonly work: KeyedWork;
  /** Instead of each link's own. */
  readonly pingEveryMs?: number;
  readonly log: Logger;
}

interface LinkRequest {
  readonly params: Record<string, string>;
  readonly query: URLSearchParams;
  readonly caller: Caller;
}

/** Takes a socket over once it is open. */
type Accept = (socket: WebSocket) => void;

interface LinkLimits {
  readonly maxMessageBytes: number;
  /** A peer that says nothing and answers no ping between two of them is gone, or only occupies a place. */
  readonly pingEveryMs: number;
}

interface Link extends LinkLimits {
  readonly route: RouteDefinition;
  readonly pattern: RegExp;
  /** Throws if the link is rejected. The returned function is called at once, unless the handshake itself fails. */
  readonly open: (ports: ApiPorts, request: LinkRequest) => Accept;
}

const agentLimits: LinkLimits = { maxMessageBytes: linkLimits.maxMessageBytes, pingEveryMs: 20_000 };
/** More than the largest picture, so that a picture that is too large can be rejected with words. */
const feedLimits: LinkLimits = { maxMessageBytes: 2 * maxPictureBytes, pingEveryMs: 5000 };

const links: readonly Link[] = [
  link(routes.agentLink, agentLimits, (ports, { caller }) => (socket) => {
    ports.acceptAgent(socket, caller);
  }),
  link(routes.adoptLink, agentLimits, (ports, { caller }) => (socket) => {
    ports.adoption.accept(socket, caller);
  }),
  link(routes.feedLink, feedLimits, openFeedLink),
];

/** The WebSockets of the API. A link whose key is revoked is closed. */
export class WebSockets implements Disposable {
  readonly #options: WebSocketsOptions;
  readonly #servers = new Map<number, WebSocketServer>();

  constructor(options: WebSocketsOptions) {
    this.#options = options;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { ports, access, log } = this.#options;
    socket.on('error', (error) => log.debug({ err: error }, 'websocket ended early'));
    try {
      const [path = '', query = ''] = (request.url ?? '').split('?');
      const { link, params } = linkOf(path);
      const caller = checkAccess(request, link.route.access, access);
      // Over this one the camera gets its key.
      if (link.route === routes.adoptLink) refuseKeyInTheClear(request, access.tlsPort ?? null);
      checked(link.route.params, params, 'path');
      const accept = link.open(ports, { params, query: new URLSearchParams(query), caller });
      this.#serverFor(link.maxMessageBytes).handleUpgrade(request, socket, head, (client) => {
        this.#remember(client, caller.keyId);
        endWhenSilent(client, this.#options.pingEveryMs ?? link.pingEveryMs);
        accept(client);
      });
    } catch (error) {
      refuseUpgrade(socket, error, request.url ?? '');
    }
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers.values()) {
      for (const client of server.clients) client.close(1001, 'the appliance stops');
      server.close();
    }
  }

  #serverFor(maxPayload: number): WebSocketServer {
    const server =
      this.#servers.get(maxPayload) ??
      new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false });
    this.#servers.set(maxPayload, server);
    return server;
  }

  #remember(client: WebSocket, keyId: string | null): void {
    const end = () => client.close(feedLinkClose.keyRevoked, 'the key was revoked');
    client.once('close', this.#options.work.hold(keyId, end));
  }
}

/** A cut cable closes nothing. */
function endWhenSilent(client: WebSocket, everyMs: number): void {
  let heard = true;
  const hear = () => {
    heard = true;
  };
  client.on('pong', hear);
  client.on('message', hear);
  const timer = setInterval(() => {
    if (!heard) return client.terminate();
    heard = false;
    client.ping();
  }, everyMs);
  // A connection error is followed by "close".
  client.on('error', () => {});
  client.once('close', () => clearInterval(timer));
}

function openFeedLink({ pictures }: ApiPorts, { params, query, caller }: LinkRequest): Accept {
  const { feed = '' } = params;
  const { publish } = checked(routes.feedLink.query, Object.fromEntries(query), 'query') as z.output<
    typeof routes.feedLink.query
  >;
  if (publish === undefined) {
    pictures.mayWatch(feed);
    return (socket) => showOnLink(socket, pictures.watch(feed));
  }
  if (!mayCall(caller.role, publishRoles)) {
    throw new ApiError(
      'ACCESS_DENIED',
      `A ${caller.role} may not publish; it takes ${publishRoles.join(' or ')}.`,
    );
  }
  pictures.mayPublish(feed, caller);
  return (socket) => publishOnLink(socket, pictures.publish(feed, caller));
}

function link(route: RouteDefinition, limits: LinkLimits, open: Link['open']): Link {
  return { route, pattern: pathPattern(route.path), ...limits, open };
}

function linkOf(path: string): { link: Link; params: Record<string, string> } {
  for (const link of links) {
    const params = matchPath(link.pattern, path);
    if (params !== null) return { link, params };
  }
  throw new ApiError('ROUTE_UNKNOWN', `There is no WebSocket at ${path}.`);
}

function refuseUpgrade(socket: Duplex, error: unknown, path: string): void {
  const { problem, retryAfterS } = problemOf(error, path);
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: application/problem+json\r\n` +
      (retryAfterS === null ? '' : `Retry-After: ${retryAfterS}\r\n`) +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
