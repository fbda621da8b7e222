import { Agent, type ClientRequest, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { originForm } from './own-paths.ts';
import type { RawHeaders } from './raw-headers.ts';
import { UpstreamTimeoutError } from './upstream-error.ts';

/** Time limits of the backend, in milliseconds. */
export interface UpstreamTimeouts {
  /** To connect. */
  readonly connectMs: number;
  /** From the end of the request to the head of the answer. Bodies may take as long as they like. */
  readonly answerMs: number;
}

/** The backend: sends requests to it over connections that are kept open. */
export class Upstream implements Disposable {
  readonly #url: URL;
  readonly #timeouts: UpstreamTimeouts;
  readonly #agent: Agent;

  constructor(url: string, timeouts: UpstreamTimeouts) {
    this.#url = new URL(url);
    this.#timeouts = timeouts;
    const options = { keepAlive: true, noDelay: true };
    this.#agent = this.#url.protocol === 'https:' ? new TlsAgent(options) : new Agent(options);
  }

  /** The backend's own name, as for a Host field. */
  get host(): string {
    return this.#url.host;
  }

  /** Starts a request; its head is sent with the first byte or at its end. A late connection or answer ends it. */
  open(method: string, target: string, headers: RawHeaders, kept = true): ClientRequest {
    const base = this.#url.pathname.replace(/\/$/, '');
    const options: RequestOptions = {
      hostname: this.#url.hostname.replace(/^\[|\]$/g, ''),
      port: this.#url.port,
      method,
      path: target === '*' ? target : `${base}${originForm(target)}`,
      headers,
      agent: kept ? this.#agent : false,
    };
    const request = this.#url.protocol === 'https:' ? requestTls(options) : requestPlain(options);
    this.#guard(request);
    return request;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #guard(request: ClientRequest): void {
    let timer: NodeJS.Timeout | undefined;
    const wait = (ms: number, what: string) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.destroy(new UpstreamTimeoutError(`${what} within ${ms} ms`)), ms);
    };
    const { connectMs, answerMs } = this.#timeouts;
    request.once('socket', (socket) => {
      if (!socket.connecting) return;
      wait(connectMs, 'no connection');
      socket.once('connect', () => clearTimeout(timer));
    });
    request.once('finish', () => wait(answerMs, 'no answer'));
    for (const event of ['response', 'upgrade', 'close'] as const)
      request.once(event, () => clearTimeout(timer));
  }
}
