import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Backend } from './backend.fake.ts';
import { Gateway } from './gateway.ts';
import { ownPaths, pathOf } from './own-paths.ts';
import { endToEnd } from './raw-headers.ts';

const log = pino({ level: 'silent' });
const patient = { timeout: 20_000, interval: 20 };

interface Call {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer;
  readonly chunked?: boolean;
}

/** A hub in front of a backend: its own route says so, everything else goes through the gateway. */
class Hub implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly server: Server;
  port = 0;

  constructor(upstreamPort: number, answerMs = 20_000) {
    this.gateway = new Gateway({
      upstream: `http://127.0.0.1:${upstreamPort}`,
      isOurs: ownPaths(new Set(['/', '/assets/app.js'])),
      sessionCookie: 'rushlight_session',
      isOurToken: (token) => token === 'ours',
      log,
      timeouts: { connectMs: 5000, answerMs },
    });
    this.server = createServer((request, response) => {
      if (!this.gateway.handle(request, response)) response.end('the hub');
    });
    this.server.on('upgrade', (request, socket, head) => {
      if (!this.gateway.upgrade(request, socket, head)) socket.end('HTTP/1.1 418 Ours\r\n\r\n');
    });
  }

  async open(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gateway[Symbol.dispose]();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('Gateway', () => {
  let backend: Backend;
  let hub: Hub;
  beforeEach(async () => {
    backend = await new Backend().open();
    hub = await new Hub(backend.port).open();
  });
  afterEach(async () => {
    await hub[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  test('passes 1,000 mixed requests unchanged, byte for byte', {
    timeout: 120_000,
  }, async () => {
    const calls = Array.from({ length: 1000 }, (_, index) => mixedCall(index));
    let compared = 0;
    for (let start = 0; start < calls.length; start += 20) {
      await Promise.all(
        calls.slice(start, start + 20).map(async (call) => {
          const [direct, through] = await Promise.all([
            exchange(backend.port, call),
            exchange(hub.port, call),
          ]);
          expect(through, `${call.method} ${call.target}`).toEqual(direct);
          compared += 1;
        }),
      );
    }
    expect(compared).toBe(1000);
  });

  test('answers its own routes for any method, and passes on what only looks like them', async () => {
    const text = async (target: string, method = 'GET') =>
      (await exchange(hub.port, { method, target })).body.toString();
    expect(await text('/')).toBe('the hub');
    expect(await text('/api/feeds/cam0?x=1')).toBe('the hub');
    expect(await text('/whip/cam0', 'DELETE')).toBe('the hub');
    expect(await text('/api/users')).toBe('nothing at /api/users');
    expect(await text('/api/feeds/cam0/secret')).toBe('nothing at /api/feeds/cam0/secret');
  });

  test('hides our session and keys from the backend, and leaves its own alone', async () => {
    const seen = async (headers: string[]) => {
      const { body } = await exchange(hub.port, { method: 'GET', target: '/echo', headers });
      return (JSON.parse(body.toString()) as { headers: string[] }).headers;
    };
    expect(
      await seen(['Cookie', 'sid=1; rushlight_session=secret; x=2', 'Authorization', 'Bearer ours']),
    ).toEqual([...['Host', 'backend.test', 'Cookie', 'sid=1; x=2']]);
    expect(await seen(['Cookie', 'sid=1', 'Authorization', 'Bearer theirs'])).toContain('Bearer theirs');
  });

  test('passes a stream on as it arrives', async () => {
    const controller = new AbortController();
    const response = await fetch(`http://127.0.0.1:${hub.port}/events`, { signal: controller.signal });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toBe('data: first\n\n');
    controller.abort();
  });

  test('stops reading the backend if the client stops reading', async () => {
    const answered = Promise.withResolvers<IncomingMessage>();
    const call = httpRequest({ port: hub.port, path: '/bytes/400000000', agent: false }, answered.resolve);
    call.end();
    const answer = await answered.promise;
    answer.pause();
    // The bytes in flight fill the buffers between; then they stop, far below the total.
    let before = -1;
    await vi.waitFor(
      () => {
        const now = backend.bytesWritten;
        const still = now === before;
        before = now;
        expect(still).toBe(true);
      },
      { timeout: 20_000, interval: 500 },
    );
    expect(before).toBeLessThan(100_000_000);
    call.destroy();
    await vi.waitFor(() => expect(backend.bytesWritten).toBe(0), patient);
  });

  test('a backend that is away only breaks its own routes, and recovers by itself', async () => {
    const { port } = backend;
    await exchange(hub.port, { method: 'GET', target: '/echo' });
    await backend[Symbol.asyncDispose]();
    const broken = await exchange(hub.port, { method: 'POST', target: '/echo', body: Buffer.from('x') });
    expect(broken.status).toBe(502);
    expect(broken.headers).toContain('application/problem+json');
    expect(JSON.parse(broken.body.toString())).toMatchObject({ status: 502, code: 'UPSTREAM_UNREACHABLE' });
    expect((await exchange(hub.port, { method: 'GET', target: '/healthz' })).body.toString()).toBe('the hub');
    backend = await new Backend().open(port);
    expect((await exchange(hub.port, { method: 'GET', target: '/echo' })).status).toBe(200);
  });

  test('an upload to an absent backend still gets its answer', async () => {
    await backend[Symbol.asyncDispose]();
    const body = Buffer.alloc(20_000_000);
    const broken = await exchange(hub.port, { method: 'POST', target: '/echo', body });
    expect(broken.status).toBe(502);
  });

  test('passes on an answer that arrives before the whole request was read', async () => {
    const body = Buffer.alloc(5_000_000);
    const refused = await exchange(hub.port, { method: 'POST', target: '/refuse', body });
    expect([refused.status, refused.body.toString()]).toEqual([413, 'too much']);
  });

  test('request and answer may stream at the same time, for longer than the limit for the first byte', async () => {
    await using impatient = await new Hub(backend.port, 200).open();
    const answered = Promise.withResolvers<IncomingMessage>();
    const call = httpRequest(
      { port: impatient.port, method: 'POST', path: '/duplex', agent: false },
      answered.resolve,
    );
    call.write('ping');
    const answer = await answered.promise;
    const chunks: string[] = [];
    answer.on('data', (chunk) => chunks.push(String(chunk)));
    await vi.waitFor(() => expect(chunks.join('')).toBe('ping'), patient);
    await sleep(500);
    call.end(' pong');
    await once(answer, 'end');
    expect(chunks.join('')).toBe('ping pong');
  });

  test('drops hints that Node rejects, and nothing else', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel="preload stylesheet"\r\n\r\n';
    const hinting = createTcpServer((socket) => {
      socket.once('data', () => socket.end(`${hints}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`));
    });
    hinting.listen(0, '127.0.0.1');
    await once(hinting, 'listening');
    try {
      await using front = await new Hub((hinting.address() as AddressInfo).port).open();
      const answer = await exchange(front.port, { method: 'GET', target: '/hints' });
      expect([answer.status, answer.body.toString()]).toEqual([200, 'ok']);
    } finally {
      hinting.close();
    }
  });

  test('aborts an upload at the backend if the client aborts it', async () => {
    const call = httpRequest({ port: hub.port, method: 'POST', path: '/stuck', agent: false });
    call.on('error', () => {
      // It is broken off below.
    });
    call.write(Buffer.alloc(1000));
    await vi.waitFor(() => expect(backend.connections).toBe(1), patient);
    call.destroy();
    await vi.waitFor(() => expect(backend.connections).toBe(0), patient);
  });

  test('answers 504 if a backend does not answer in time', async () => {
    await using impatient = await new Hub(backend.port, 100).open();
    const late = await exchange(impatient.port, { method: 'GET', target: '/stuck' });
    expect(late.status).toBe(504);
    expect(JSON.parse(late.body.toString())).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  test('a truncated answer is also truncated for the client, instead of looking complete', async () => {
    await expect(exchange(hub.port, { method: 'GET', target: '/broken' })).rejects.toThrow();
  });

  test('passes WebSockets through, text and binary, with the frames that came with the handshake', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${hub.port}/ws/echo`);
    const received: (string | Buffer)[] = [];
    socket.on('message', (data: Buffer, isBinary) => received.push(isBinary ? data : data.toString()));
    await once(socket, 'open');
    const large = Buffer.alloc(3_000_000, 7);
    socket.send('hello');
    socket.send(large);
    await vi.waitFor(() => expect(received).toHaveLength(2), patient);
    expect(received[0]).toBe('hello');
    expect(large.equals(received[1] as Buffer)).toBe(true);
    socket.close(1000, 'done');
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([1000, 'done']);
  });

  test('keeps what the client sends right behind its handshake', async () => {
    const socket = connect(hub.port, '127.0.0.1');
    const key = Buffer.alloc(16).toString('base64');
    const masked = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
    const head = `GET /ws/echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
    });
    socket.write(Buffer.concat([Buffer.from(head), masked]));
    await vi.waitFor(
      () => expect(received.subarray(-4)).toEqual(Buffer.from([0x81, 2, 0x68, 0x69])),
      patient,
    );
    expect(received.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
    socket.destroy();
  });

  test("passes on a backend's rejection of a WebSocket; ours stays ours", async () => {
    const refusal = async (path: string) => {
      const socket = new WebSocket(`ws://127.0.0.1:${hub.port}${path}`);
      socket.on('error', () => {
        // The unexpected answer is what is looked at.
      });
      const [, answer] = await once(socket, 'unexpected-response');
      return answer as IncomingMessage;
    };
    const theirs = await refusal('/ws/none');
    expect([theirs.statusCode, theirs.statusMessage, theirs.headers['x-why']]).toEqual([
      403,
      'No such socket',
      'nothing here',
    ]);
    expect((await buffer(theirs)).toString()).toBe('nope');
    expect((await refusal('/ws/agent')).statusCode).toBe(418);
    await backend[Symbol.asyncDispose]();
    expect((await refusal('/ws/echo')).statusCode).toBe(502);
  });
});

test.each([
  ['/a?b', '/a'],
  ['http://host:1/a/b?c', '/a/b'],
  ['http://host', '/'],
  ['*', '*'],
])('routes %s', (target, path) => {
  expect(pathOf(target)).toBe(path);
});

/** The kinds of requests there are, in turn, each with something of its own. */
function mixedCall(index: number): Call {
  const body = Buffer.alloc((index * 7919) % 200_000, `body ${index} `);
  const kinds: readonly Call[] = [
    { method: 'GET', target: `/echo/a%20b/%2F..%2f?q=${index}&q=2&empty=&plus=a+b#` },
    {
      method: 'POST',
      target: `/echo?status=201`,
      body,
      headers: ['Content-Type', 'application/octet-stream'],
    },
    { method: 'PUT', target: '/echo//double//slash', body, chunked: true },
    {
      method: 'PATCH',
      target: '/echo',
      body: Buffer.from('{"a":1}'),
      headers: ['X-Twice', '1', 'x-twice', '2'],
    },
    { method: 'DELETE', target: `/echo/${index}`, headers: ['If-Match', '"a"', 'Accept', '*/*'] },
    { method: 'DELETE', target: '/echo', body, chunked: true },
    { method: 'OPTIONS', target: '/echo', headers: ['Origin', 'http://elsewhere'] },
    { method: 'HEAD', target: '/bytes/5000' },
    { method: 'GET', target: `/bytes/${index * 331}` },
    { method: 'GET', target: `/bytes/${index * 97}?chunked` },
    { method: 'GET', target: '/gzip', headers: ['Accept-Encoding', 'gzip'] },
    { method: 'GET', target: '/cookies', headers: ['Cookie', `sid=${index}; theme=dark`] },
    { method: 'GET', target: `/status/${[204, 304, 404, 418, 500, 503][index % 6]}` },
    { method: 'GET', target: '/trailers' },
    { method: 'POST', target: '/echo', headers: ['Content-Length', '0', 'X-Umlaut', 'é'] },
    { method: 'PROPFIND', target: '/echo/dav', body: Buffer.from('<propfind/>') },
  ];
  return kinds[index % kinds.length] ?? { method: 'GET', target: '/echo' };
}

/** Everything of an exchange that is not a matter of the connection. */
async function exchange(port: number, call: Call) {
  const headers = ['Host', 'backend.test', ...(call.headers ?? [])];
  if (call.chunked) headers.push('Transfer-Encoding', 'chunked', 'Trailer', 'X-Check');
  else if (call.body !== undefined) headers.push('Content-Length', String(call.body.length));
  const answered = Promise.withResolvers<IncomingMessage>();
  const path = call.target.replace(/#$/, '');
  const request = httpRequest({ port, host: '127.0.0.1', method: call.method, path, headers, agent: false });
  request.on('response', answered.resolve);
  request.on('error', answered.reject);
  if (call.chunked) {
    request.addTrailers({ 'X-Check': 'end' });
    Readable.from(call.body ?? Buffer.alloc(0)).pipe(request);
  } else {
    request.end(call.body);
  }
  const answer = await answered.promise;
  return {
    status: answer.statusCode,
    message: answer.statusMessage,
    body: await buffer(answer),
    headers: endToEnd(answer.rawHeaders),
    trailers: answer.rawTrailers,
  };
}
