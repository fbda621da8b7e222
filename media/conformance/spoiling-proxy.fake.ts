/** A server that does one thing wrong: it passes everything on to a good one, but for what a spoiler changes. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request on its way to the server. */
export interface Passed {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** An answer on its way back. */
export interface Returned {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Changes requests and answers. */
export interface Spoiler {
  /** Answers in the good server's place, or changes what it is asked. */
  readonly request?: (request: Passed) => Returned | null;
  readonly response?: (response: Returned, request: Passed) => void;
}

/** A proxy that breaks a good server. */
export class SpoilingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #good: string;
  spoiler: Spoiler = {};

  constructor(good: string) {
    this.#good = good;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { connection, host, 'content-length': length, ...headers } = request.headers;
    const passed: Passed = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      body: await text(request),
    };
    const returned = this.spoiler.request?.(passed) ?? (await this.#pass(passed));
    this.spoiler.response?.(returned, passed);
    response.writeHead(returned.status, returned.headers);
    response.end(passed.method === 'HEAD' ? undefined : returned.body);
  }

  async #pass({ method, path, headers, body }: Passed): Promise<Returned> {
    const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(method) && body !== '';
    const answer = await fetch(this.#good + path, {
      method,
      headers,
      redirect: 'manual',
      ...(hasBody ? { body } : {}),
    });
    const returned = Object.fromEntries(answer.headers);
    for (const name of [
      'connection',
      'keep-alive',
      'transfer-encoding',
      'content-length',
      'content-encoding',
    ])
      delete returned[name];
    return { status: answer.status, headers: returned, body: await answer.text() };
  }
}
