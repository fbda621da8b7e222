/** A proxy between a client and a server that redirects the first offer and records the client's requests. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describeError } from '../../common/errors.ts';
import { type Finding, fail, type Protocol } from './requirement.ts';
import { clientRequirements, type Exchange } from './requirements/clients.ts';

/** Where a redirected offer goes; the rest of the path is the server's. */
const ELSEWHERE = '/elsewhere';
const notPassed = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'content-encoding',
]);

/** Judges a client by its requests to a server of ours. */
export class ClientJudge implements AsyncDisposable {
  readonly exchanges: Exchange[] = [];
  readonly #protocol: Protocol;
  readonly #upstream: URL;
  readonly #server: Server;

  /** `upstream` is the endpoint that the client would use without us. */
  constructor(protocol: Protocol, upstream: string) {
    this.#protocol = protocol;
    this.#upstream = new URL(upstream);
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** Resolves to the endpoint for the client. */
  async open(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const { pathname, search } = this.#upstream;
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${pathname}${search}`;
  }

  async findings(): Promise<Finding[]> {
    const record = { protocol: this.#protocol, exchanges: this.exchanges };
    const own = clientRequirements.filter(({ sections }) => sections[this.#protocol] !== undefined);
    return await Promise.all(
      own.map(async ({ id, level, text: asked, sections, look }) => {
        const about = { id, level, text: asked, protocol: this.#protocol };
        const section = sections[this.#protocol] ?? '';
        try {
          return { ...about, section, ...(await look(record)) };
        } catch (error) {
          return { ...about, section, ...fail(describeError(error)) };
        }
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = request;
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const asked = { method, path, headers, body: await text(request) };
    if (method === 'POST' && !path.startsWith(ELSEWHERE)) {
      this.exchanges.push({ ...asked, status: 307, etag: null });
      response.writeHead(307, { location: ELSEWHERE + path }).end();
      return;
    }
    try {
      await this.#pass(asked, response);
    } catch (error) {
      this.exchanges.push({ ...asked, status: 502, etag: null });
      response.writeHead(502).end(describeError(error));
    }
  }

  async #pass(asked: Omit<Exchange, 'status' | 'etag'>, response: ServerResponse): Promise<void> {
    const { method, path, headers, body } = asked;
    const { host, connection, 'content-length': length, ...passed } = headers;
    const target = new URL(path.replace(ELSEWHERE, ''), this.#upstream);
    const answer = await fetch(target, {
      method,
      headers: passed,
      redirect: 'manual',
      ...(body === '' ? {} : { body }),
    });
    const returned = Object.fromEntries([...answer.headers].filter(([name]) => !notPassed.has(name)));
    if (returned.location !== undefined) {
      const { pathname, search } = new URL(returned.location, target);
      returned.location = pathname + search;
    }
    if (method === 'POST') {
      const others = returned.link === undefined ? '' : `${returned.link}, `;
      returned.link = `${others}<https://extension.invalid/>; rel="urn:ietf:params:${this.#protocol}:ext:nobody-knows-it"`;
    }
    this.exchanges.push({ ...asked, status: answer.status, etag: answer.headers.get('etag') });
    response.writeHead(answer.status, returned).end(await answer.text());
  }
}
