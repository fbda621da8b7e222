import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyStore } from '../system/key-store.ts';
import { apiPortsFake } from './api-ports.fake.ts';
import { Backend } from './gateway/backend.fake.ts';
import { ApiServer } from './server.ts';

let pages = '';
const sockets: Socket[] = [];

beforeEach(async () => {
  pages = await mkdtemp(join(tmpdir(), 'rushlight-pages-'));
  await writeFile(join(pages, 'index.html'), 'page');
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await rm(pages, { recursive: true });
});

async function start(upstream: string | null) {
  const stop = new AbortController();
  const keys = new KeyStore({ read: async () => null, write: async () => {} });
  const server = new ApiServer({
    ports: apiPortsFake(),
    access: { keys, required: false },
    version: '1',
    pages,
    upstream,
    listen: ['127.0.0.1'],
    port: 0,
    tls: null,
    log: pino({ level: 'silent' }),
  });
  const ended = server.run(stop.signal).then(() => 'ended');
  return { port: await server.listening, stop, ended };
}

/** A WebSocket client that takes nothing and answers nothing once it is open, as one whose cable was pulled. */
async function openSilently(port: number, path: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {
    // The server breaks it off, which is what is looked at.
  });
  const lines = ['GET', path, 'HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'];
  socket.write(
    `${lines.join(' ')}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  socket.pause();
}

test('a client that never closes its connection does not delay a stop', { timeout: 60_000 }, async () => {
  const { port, stop, ended } = await start(null);
  await openSilently(port, '/ws/agent');
  stop.abort();
  expect(await Promise.race([ended, sleep(20_000, 'still open')])).toBe('ended');
});

test('nor does a connection between a client and the backend', { timeout: 60_000 }, async () => {
  await using backend = await new Backend().open();
  const { port, stop, ended } = await start(`http://127.0.0.1:${backend.port}`);
  await openSilently(port, '/ws/echo');
  stop.abort();
  expect(await Promise.race([ended, sleep(20_000, 'still open')])).toBe('ended');
});
