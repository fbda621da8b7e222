import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** How a server of bundles behaves: well, without `Range`, or silent in the middle of a file. */
export type Manners = 'good' | 'no-range' | 'stalls';

/** A web server of the rig's for bundles, which counts what it sends and can misbehave. */
export class BundleServer implements AsyncDisposable {
  manners: Manners = 'good';
  /** Bytes of bodies that were sent since it was set. */
  sentBytes = 0;
  requests = 0;
  readonly #sentOf = new Map<string, number>();
  readonly #fileOf: (path: string) => string | null;
  #server: Server | null = null;

  /** `fileOf`: the file that is served under a path; null for 404. */
  constructor(fileOf: (path: string) => string | null) {
    this.#fileOf = fileOf;
  }

  /** Listens; returns its port. */
  async listen(): Promise<number> {
    this.#server = createServer((request, response) => {
      // A client that goes away in the middle is the machine whose power was cut.
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Bytes of one file's contents that were sent. */
  sentBytesOf(file: string): number {
    return this.#sentOf.get(file) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(null));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const path = this.#fileOf(request.url ?? '');
    if (path === null) {
      response.writeHead(404).end();
      return;
    }
    const { size, mtime } = await stat(path);
    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const partial = asked !== null && this.manners !== 'no-range';
    const start = partial ? Number(asked[1]) : 0;
    const end = partial && asked[2] !== '' ? Math.min(Number(asked[2]), size - 1) : size - 1;
    response.writeHead(partial ? 206 : 200, {
      'content-length': end - start + 1,
      'last-modified': mtime.toUTCString(),
      ...(partial ? { 'accept-ranges': 'bytes', 'content-range': `bytes ${start}-${end}/${size}` } : {}),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    if (this.manners === 'stalls' && this.requests > 1) {
      response.flushHeaders(); // Neither data nor an end.
      return;
    }
    const file = createReadStream(path, { start, end });
    file.on('data', (chunk) => {
      this.sentBytes += chunk.length;
      this.#sentOf.set(path, this.sentBytesOf(path) + chunk.length);
    });
    await pipeline(file, response);
  }
}
