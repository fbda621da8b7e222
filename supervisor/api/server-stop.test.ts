import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { makePages, openApiServer } from './api-server.fake.ts';
import { Backend } from './gateway/backend.fake.ts';

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

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
  const { port, stop, ended } = await openApiServer();
  await openSilently(port, '/ws/agent');
  stop();
  expect(await Promise.race([ended.then(() => 'ended'), sleep(20_000, 'still open')])).toBe('ended');
});

test('nor does a connection between a client and the backend', { timeout: 60_000 }, async () => {
  await using backend = await new Backend().open();
  await using pages = await makePages();
  const upstream = `http://127.0.0.1:${backend.port}`;
  const { port, stop, ended } = await openApiServer({ upstream, pages: pages.path });
  await openSilently(port, '/ws/echo');
  stop();
  expect(await Promise.race([ended.then(() => 'ended'), sleep(20_000, 'still open')])).toBe('ended');
});
