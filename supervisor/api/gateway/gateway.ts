import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { describeError } from '../../../common/errors.ts';
import type { Problem } from '../../contract/index.ts';
import { forwardRequest } from './forward-request.ts';
import { forwardUpgrade } from './forward-upgrade.ts';
import { pathOf } from './own-paths.ts';
import { countHeader, pairs, type RawHeaders, withoutCookie } from './raw-headers.ts';
import { Upstream, type UpstreamTimeouts } from './upstream.ts';
import { answerProblem, refuseSocket } from './upstream-error.ts';

/** What the gateway needs. */
export interface GatewayOptions {
  /** Base URL of the backend: `gateway.upstream` of the settings. */
  readonly upstream: string;
  /** Whether a path is answered here (own-paths.ts). The backend answers everything else. */
  readonly isOurs: (path: string) => boolean;
  /** A request target in the backend's terms. Default: unchanged. */
  readonly targetOf?: (target: string) => string;
  /** Name of our session cookie, which the backend does not get. */
  readonly sessionCookie: string;
  /** Whether a bearer token is one of our keys; the backend does not get those either. */
  readonly isOurToken?: (token: string) => boolean;
  readonly log: Logger;
  /** Default: 5 s to connect, 120 s to answer. */
  readonly timeouts?: UpstreamTimeouts;
}

const defaultTimeouts: UpstreamTimeouts = { connectMs: 5000, answerMs: 120_000 };
/** Two hosts: the backend may take the other one. */
function isAmbiguous({ rawHeaders }: IncomingMessage): boolean {
  return countHeader(rawHeaders, 'host') > 1;
}

/** An upgrade to another protocol would pass by all that is decided here; one side would read it as a body. */
function isWebSocket({ method, headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  return method === 'GET' && !hasBody && headers.upgrade?.toLowerCase() === 'websocket';
}

function refusal(detail: string, instance: string): Problem {
  return {
    type: 'about:blank',
    title: 'Bad request',
    status: 400,
    detail,
    instance,
    code: 'REQUEST_INVALID',
  };
}

const complainEveryMs = 60_000;

/** Puts the hub in front of an existing backend. If the backend fails, only its own routes fail. */
export class Gateway implements Disposable {
  readonly #options: GatewayOptions;
  readonly #upstream: Upstream;
  #failures = 0;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#upstream = new Upstream(options.upstream, options.timeouts ?? defaultTimeouts);
  }

  /** Handles a request if it is the backend's; returns false, and has changed nothing, if it is ours. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const { isOurs, targetOf } = this.#options;
    const target = request.url ?? '/';
    if (isOurs(pathOf(target))) return false;
    if (isAmbiguous(request)) {
      answerProblem(response, refusal('This request names its host more than once.', target));
      return true;
    }
    request.url = targetOf?.(target) ?? target;
    void forwardRequest(this.#upstream, request, response, this.#edit).then(this.#note, this.#note);
    return true;
  }

  /** The same for upgrades. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const target = request.url ?? '/';
    if (this.#options.isOurs(pathOf(target))) return false;
    if (isAmbiguous(request) || !isWebSocket(request)) {
      refuseSocket(socket, refusal('Only WebSockets go through here.', target));
      return true;
    }
    void forwardUpgrade(this.#upstream, request, socket, head, this.#edit).then(this.#note, this.#note);
    return true;
  }

  [Symbol.dispose](): void {
    this.#upstream[Symbol.dispose]();
  }

  readonly #edit = (headers: RawHeaders): RawHeaders => {
    const { sessionCookie, isOurToken } = this.#options;
    const rest = withoutCookie(headers, sessionCookie);
    if (isOurToken === undefined) return rest;
    return pairs(rest)
      .filter(([name, value]) => {
        const token =
          name.toLowerCase() === 'authorization' ? /^Bearer\s+(\S+)$/i.exec(value)?.[1] : undefined;
        return token === undefined || !isOurToken(token);
      })
      .flat();
  };

  /** A backend that is away is logged once a minute, with the number of requests it cost. */
  readonly #note = (error: unknown): void => {
    if (error === null || error === undefined) return;
    this.#failures += 1;
    const nowMs = performance.now();
    if (nowMs - this.#complainedAtMs < complainEveryMs) return;
    this.#complainedAtMs = nowMs;
    this.#options.log.warn({ failures: this.#failures }, `the backend fails: ${describeError(error)}`);
    this.#failures = 0;
  };
}
