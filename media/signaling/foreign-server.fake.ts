/** A WHIP server of somebody else, played over a media service of ours: it answers in the ways that others have. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { MediaService } from '../control/media-service.ts';

/** A request to the server. */
export interface ForeignRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Answers a request, and says so; false: it goes on to the service. */
export type Trick = (request: ForeignRequest, response: ServerResponse) => boolean;

/** How the server behaves. */
export interface ForeignManner {
  readonly trick?: Trick;
  /** How its answers differ from ours. */
  readonly edit?: (answer: string) => string;
  /** Headers of its 201, from the session's path. */
  readonly headers?: (session: string) => Record<string, string>;
}

/** A WHIP server that is not ours. */
export class ForeignServer implements AsyncDisposable {
  readonly requests: ForeignRequest[] = [];
  manner: ForeignManner;
  readonly #service: MediaService;
  readonly #server: Server;

  constructor(service: MediaService, manner: ForeignManner = {}) {
    this.#service = service;
    this.manner = manner;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.url;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What was asked, by method. */
  of(method: string): readonly ForeignRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming;
    const request = { method, path, authorization: headers.authorization };
    this.requests.push(request);
    const body = await text(incoming);
    const { trick, edit, headers: headersOf } = this.manner;
    if (trick?.(request, response) === true) return;
    const [, kind, name = '', sessionId = ''] = path.split('/');
    if (method === 'DELETE') {
      this.#service.closeSession({ sessionId });
      response.writeHead(200).end();
    } else if (method === 'POST' && kind === 'whip') {
      const offer = { feed: name, sdp: body, peer: null, publisherKey: null };
      const { answer, sessionId: session } = await this.#service.whipOffer(offer);
      const location = `/whip/${name}/${session}`;
      response.writeHead(201, {
        'content-type': 'application/sdp',
        ...(headersOf === undefined ? { location } : headersOf(location)),
      });
      response.end(edit === undefined ? answer : edit(answer));
    } else response.writeHead(404).end();
  }
}
