import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../common/errors.ts';
import type { MediaService } from '../control/media-service.ts';
import { BROWSER_PAGE } from './browser-page.fake.ts';
import { SignalingError } from './errors.ts';

const statuses: Record<string, number> = {
  SDP_INVALID: 400,
  FRAGMENT_INVALID: 400,
  SESSION_NOT_FOUND: 404,
  FEED_BUSY: 409,
  NO_PUBLISHER: 409,
  ETAG_STALE: 412,
  TRACKS_UNSUPPORTED: 422,
  CODEC_UNSUPPORTED: 422,
  ETAG_REQUIRED: 428,
  OVERLOADED: 503,
};

/** A minimal HTTP face of a media service, for tests and benchmarks; the product's is the supervisor's API. */
export class HttpHarness implements AsyncDisposable {
  readonly #server: Server;
  readonly #service: MediaService;

  constructor(service: MediaService) {
    this.#service = service;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async open(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.url;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    response.setHeader('access-control-allow-methods', '*');
    response.setHeader('access-control-expose-headers', '*');
    try {
      let body = '';
      for await (const chunk of request) body += chunk;
      await this.#route(request, response, body);
    } catch (error) {
      const code = error instanceof SignalingError ? error.code : 'INTERNAL';
      if (error instanceof SignalingError && error.retryAfterS !== undefined) {
        response.setHeader('retry-after', String(error.retryAfterS));
      }
      response.writeHead(statuses[code] ?? 500, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code, detail: messageOf(error) }));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const [, kind, feed = '', sessionId] = (request.url ?? '').split('/');
    if (request.method === 'OPTIONS') {
      response.writeHead(200).end();
    } else if (kind === 'page') {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(BROWSER_PAGE);
    } else if (request.method === 'POST' && (kind === 'whip' || kind === 'whep')) {
      const peer = request.headers.authorization ?? null;
      const answer =
        kind === 'whip'
          ? await this.#service.whipOffer({ feed, sdp: body, peer, keyId: peer, publisherKey: peer })
          : await this.#service.whepOffer({ feed, sdp: body, peer, keyId: peer });
      response.writeHead(201, {
        'content-type': 'application/sdp',
        location: `/${kind}/${feed}/${answer.sessionId}`,
        etag: answer.etag,
      });
      response.end(answer.answer);
    } else if (request.method === 'PATCH' && sessionId !== undefined) {
      const result = this.#service.session(sessionId).patch(request.headers['if-match'] ?? null, body);
      if (result.restart === null) response.writeHead(204).end();
      else response.writeHead(200, { etag: result.restart.etag }).end(result.restart.fragment);
    } else if (request.method === 'DELETE' && sessionId !== undefined) {
      this.#service.closeSession({ sessionId });
      response.writeHead(200).end();
    } else {
      response.writeHead(404).end();
    }
  }
}
