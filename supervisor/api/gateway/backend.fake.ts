import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { WebSocketServer } from 'ws';
import { endToEnd } from './raw-headers.ts';

/** A small backend as it may run behind a hub: an API, files, streams, a WebSocket echo. */
export class Backend implements AsyncDisposable {
  readonly #server: Server = createServer((request, response) => void answer(request, response));
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #open = new Set<Socket>();
  port = 0;

  async open(port = 0): Promise<this> {
    this.#server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    this.#server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/ws/echo') {
        socket.end('HTTP/1.1 403 No such socket\r\nX-Why: nothing here\r\nContent-Length: 4\r\n\r\nnope');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
      });
    });
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Bytes the backend has handed to its connections. */
  get bytesWritten(): number {
    return [...this.#open].reduce((sum, socket) => sum + socket.bytesWritten, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    for (const socket of this.#open) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://backend');
  response.sendDate = false;
  switch (url.pathname.split('/')[1]) {
    case 'echo':
      return await echo(request, response, url);
    case 'bytes':
      return await bytes(response, url);
    case 'gzip':
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Type': 'text/plain' });
      response.end(gzipSync('light '.repeat(1000)));
      return;
    case 'cookies':
      response.writeHead(302, 'Elsewhere', [
        'Set-Cookie',
        'a=1',
        'SET-COOKIE',
        'b=2; Path=/',
        'Location',
        '/x',
      ]);
      response.end();
      return;
    case 'status':
      response.writeHead(Number(url.pathname.split('/')[2]), 'As Asked');
      response.end();
      return;
    case 'trailers':
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('part one, ');
      response.addTrailers({ 'X-Sum': '42' });
      response.end('part two');
      return;
    case 'events':
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: first\n\n');
      return;
    case 'stuck':
      return;
    case 'refuse':
      response.writeHead(413, { 'Content-Type': 'text/plain' });
      response.end('too much');
      return;
    case 'duplex':
      response.writeHead(200);
      request.pipe(response);
      return;
    case 'broken':
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half');
      await sleep(50);
      response.destroy();
      return;
    default:
      response.writeHead(404, { 'Content-Type': 'text/plain' });
      response.end(`nothing at ${url.pathname}`);
  }
}

/** Returns what arrived, to the last byte. */
async function echo(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    length += chunk.length;
  }
  const seen = {
    method: request.method,
    target: request.url,
    headers: endToEnd(request.rawHeaders),
    chunked: request.headers['transfer-encoding'] ?? null,
    trailers: request.rawTrailers,
    length,
    sha256: hash.digest('hex'),
  };
  const status = Number(url.searchParams.get('status') ?? 200);
  response.writeHead(status, { 'Content-Type': 'application/json', 'X-Case-Kept': 'Ünï' });
  response.end(JSON.stringify(seen));
}

/** `/bytes/<count>`: a pattern of that length, sent no faster than it is read. */
async function bytes(response: ServerResponse, url: URL): Promise<void> {
  const total = Number(url.pathname.split('/')[2]);
  if (!url.searchParams.has('chunked')) response.setHeader('Content-Length', total);
  const source = Readable.from(blocks(total), { objectMode: false });
  // A client that goes away ends the download, and nothing else.
  await pipeline(source, response).catch(() => {});
}

function* blocks(total: number): Generator<Buffer> {
  const block = Buffer.alloc(64 * 1024, 'rushlight');
  for (let left = total; left > 0; left -= block.length) {
    yield left < block.length ? block.subarray(0, left) : block;
  }
}
