import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Context } from 'koa';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import type { ApiEvent } from '../contract/index.ts';
import { freshKeys } from '../system/key-store.fake.ts';
import { KeyedWork } from './access/keyed-work.ts';
import { apiPortsFake } from './api-ports.fake.ts';
import { eventRoutes } from './routes/events.ts';
import { WebSockets } from './web-sockets.ts';

const log = pino({ level: 'silent' });
let socket: Socket | null = null;

afterEach(() => socket?.destroy());

function dial(port: number): Socket {
  const opened = connect(port, '127.0.0.1');
  socket = opened;
  opened.on('error', () => {
    // Being cut off is what is looked at.
  });
  return opened;
}

test('disconnects an event stream that is not read before much piles up', async () => {
  const listeners = new Set<(event: ApiEvent) => void>();
  const subscribe = (listener: (event: ApiEvent) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const response = new PassThrough();
  const ctx = { req: new EventEmitter(), res: response, set: () => {}, body: null as PassThrough | null };
  const caller = { role: 'viewer', subject: null, keyId: null, address: '192.0.2.1' } as const;
  const request = { params: {}, query: {}, body: undefined, caller };
  await eventRoutes({ ...apiPortsFake(), subscribe }).events(request, ctx as unknown as Context);
  const event: ApiEvent = { type: 'take-removed', id: 'x'.repeat(16 * 1024) };
  let sent = 0;
  while (listeners.size > 0 && sent < 200) {
    for (const listener of listeners) listener(event);
    sent += 1;
    await setImmediate();
  }
  expect(sent * 16).toBeLessThanOrEqual(256);
  expect([ctx.body?.destroyed, response.destroyed]).toEqual([true, true]);
});

test('disconnects a WebSocket that answers no ping', async () => {
  const http = createServer();
  const keys = freshKeys();
  using work = new KeyedWork(keys).open();
  const ports = { ...apiPortsFake(), acceptAgent: () => {} };
  using links = new WebSockets({ ports, access: { keys, required: false }, work, pingEveryMs: 50, log });
  http.on('upgrade', (request, socket, head) => links.upgrade(request, socket, head));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as { port: number };
  const client = dial(port);
  client.write(
    'GET /ws/agent HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const [head] = (await once(client, 'data')) as [Buffer];
  expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  client.resume();
  await once(client, 'close');
  http.close();
});
