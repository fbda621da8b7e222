import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Gateway } from './gateway.ts';
import { safeTrailers } from './raw-headers.ts';

const log = pino({ level: 'silent' });
/** What a second reader of the same bytes would take for a request. */
const hidden = 'GET /hidden HTTP/1.1\r\nHost: backend\r\n\r\n';
const length = hidden.length;

const lookEveryMs = 20;
const quietLooks = 12;

let seen: { target: string; host: string; body: string }[] = [];
let backend: Server;
let hub: Server;
let gateway: Gateway;

beforeEach(async () => {
  seen = [];
  backend = createServer(async (request, response) => {
    const body = await text(request);
    seen.push({
      target: request.url ?? '',
      host: request.rawHeaders.filter((_, i, all) => all[i - 1] === 'Host').join(),
      body,
    });
    response.end(`you asked for ${request.url}`);
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  gateway = new Gateway({
    upstream: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`,
    isOurs: () => false,
    sessionCookie: 'session',
    log,
  });
  hub = createServer((request, response) => void gateway.handle(request, response));
  hub.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  hub.listen(0, '127.0.0.1');
  await once(hub, 'listening');
});

afterEach(async () => {
  gateway[Symbol.dispose]();
  for (const server of [hub, backend]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Sends raw bytes and returns the answer until the other side closed or fell silent. */
async function raw(bytes: string): Promise<string> {
  const socket = connect((hub.address() as AddressInfo).port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => {
    // The hub cuts off what it does not understand.
  });
  const closed = once(socket, 'close');
  socket.write(bytes, 'latin1');
  // A server that waits for more of a message would do so for long.
  for (let quiet = 0, before = 0; quiet < quietLooks; quiet = answer.length === before ? quiet + 1 : 0) {
    before = answer.length;
    if ((await Promise.race([closed, sleep(lookEveryMs, 'open')])) !== 'open') return answer;
    if (answer !== '') quiet += 2;
  }
  socket.destroy();
  return answer;
}

/** Another client, over whatever connection to the backend is kept. */
async function innocent(): Promise<string> {
  return await raw('GET /innocent HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n');
}

const head = (method: string, fields: readonly string[]) =>
  `${[`${method} /asked HTTP/1.1`, 'Host: hub', ...fields].join('\r\n')}\r\n\r\n`;

const chunked = `${length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

describe('nothing in a body becomes a request of its own', () => {
  const named = [
    ...[
      'content-length',
      'Content-Length',
      'close, content-length',
      'content-length, close',
      'keep-alive,content-length',
    ],
    ...['transfer-encoding', 'host', 'te', 'upgrade', 'trailer', 'expect', 'content-type', 'connection', ''],
  ];
  const options = named.flatMap((option) =>
    ['GET', 'POST', 'DELETE', 'OPTIONS'].map((method) => [method, option] as const),
  );

  test.each(options)('%s with "Connection: %s" and a length', async (method, option) => {
    await raw(head(method, [`Connection: ${option}`, `Content-Length: ${length}`]) + hidden);
    expect(await innocent()).toContain('you asked for /innocent');
    expect(seen.map(({ target }) => target)).not.toContain('/hidden');
    for (const { target, host, body } of seen) {
      expect(host).toBe('hub');
      expect(body).toBe(target === '/asked' ? hidden : '');
    }
    expect(seen.some(({ target }) => target === '/asked')).toBe(true);
  });

  test.each(options)('%s with "Connection: %s" and chunks', async (method, option) => {
    await raw(head(method, [`Connection: ${option}`, 'Transfer-Encoding: chunked']) + chunked);
    expect(await innocent()).toContain('you asked for /innocent');
    expect(seen.map(({ target }) => target)).not.toContain('/hidden');
    for (const { target, body } of seen) expect(body).toBe(target === '/asked' ? hidden : '');
  });

  test.each([
    ['two lengths', [`Content-Length: ${length}`, 'Content-Length: 0']],
    ['two lengths in one', [`Content-Length: ${length}, 0`]],
    ['a length and chunks', [`Content-Length: ${length}`, 'Transfer-Encoding: chunked']],
    ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 0']],
    ['a signed length', [`Content-Length: +${length}`]],
    ['a hexadecimal length', [`Content-Length: 0x${length.toString(16)}`]],
    ['a space before the colon', [`Content-Length : ${length}`]],
    ['a folded field', ['Content-Length:', ` ${length}`]],
    ['chunks that are not the last coding', ['Transfer-Encoding: chunked, identity']],
    ['chunks by another name', ['Transfer-Encoding: xchunked']],
    ['chunks twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['two hosts', ['Host: other', `Content-Length: ${length}`]],
    ['another protocol', ['Connection: Upgrade', 'Upgrade: h2c', `Content-Length: ${length}`]],
    ['another protocol without a body', ['Connection: Upgrade', 'Upgrade: h2c']],
    ['a WebSocket with a body', ['Connection: Upgrade', 'Upgrade: websocket', `Content-Length: ${length}`]],
    ['a bare line feed', [`X: y\nContent-Length: ${length}`]],
    ['a NUL', [`Content-Length: ${length}\0`]],
  ])('%s', async (_, fields) => {
    await raw(head('POST', fields) + hidden);
    expect(await innocent()).toContain('you asked for /innocent');
    expect(seen.map(({ target }) => target)).not.toContain('/hidden');
    for (const { target, host } of seen) {
      expect(host).toBe('hub');
      expect(target).toMatch(/^\/(?:asked|innocent)$/);
    }
  });
});

test('rejects two hosts and other protocols, and the backend sees neither', async () => {
  expect(await raw(head('GET', ['Host: other', 'Connection: close']))).toMatch(/^HTTP\/1\.1 400 /);
  expect(await raw(head('GET', ['Connection: Upgrade', 'Upgrade: h2c']))).toMatch(/^HTTP\/1\.1 400 /);
  expect(seen).toEqual([]);
});

test('passes trailers on, except those for framing, routing or signing', () => {
  const forged = [
    'Content-Length',
    '5',
    'Transfer-Encoding',
    'chunked',
    'Host',
    'x',
    'Authorization',
    'y',
    'TE',
    'z',
  ];
  expect(safeTrailers(['X-Sum', '42', ...forged])).toEqual([['X-Sum', '42']]);
});
