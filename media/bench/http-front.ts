import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describeError } from '../../common/errors.ts';
import type { MediaClient } from '../control/media-client.ts';

/** WHIP and WHEP over HTTP for a media process alone, so that the supervisor's work isn't measured with it. */
export class HttpFront implements AsyncDisposable {
  readonly #client: MediaClient;
  readonly #server: Server;
  #sessions = 0;

  constructor(client: MediaClient) {
    this.#client = client;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const [, kind, name = ''] = (request.url ?? '').split('/');
      if (request.method === 'POST' && (kind === 'whip' || kind === 'whep'))
        await this.#open(kind, name, await text(request), response);
      else if (request.method === 'DELETE' && kind === 'session') {
        await this.#client.closeSession(name);
        response.writeHead(200).end();
      } else response.writeHead(404).end();
    } catch (error) {
      response.writeHead(500).end(describeError(error));
    }
  }

  async #open(kind: 'whip' | 'whep', feed: string, sdp: string, response: ServerResponse): Promise<void> {
    // Every session is somebody's own: what one key may open isn't measured here.
    const keyId = `bench-${this.#sessions++}`;
    const asked = { feed, sdp, peer: keyId, keyId };
    const { sessionId, etag, answer } =
      kind === 'whip'
        ? await this.#client.whipOffer({ ...asked, publisherKey: null })
        : await this.#client.whepOffer(asked);
    const headers = { 'content-type': 'application/sdp', location: `/session/${sessionId}`, etag };
    response.writeHead(201, headers).end(answer);
  }
}
