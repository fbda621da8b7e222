import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { freshKeys } from '../system/key-store.fake.ts';
import { KeyedWork } from './access/keyed-work.ts';
import { apiPortsFake } from './api-ports.fake.ts';
import { WebSockets } from './web-sockets.ts';

/** What a request for a WebSocket is answered that comes without HTTPS from another machine. */
async function answerTo(url: string, { tlsPort }: { readonly tlsPort: number | null }): Promise<string> {
  const keys = freshKeys();
  using work = new KeyedWork(keys).open();
  using sockets = new WebSockets({
    ports: apiPortsFake(),
    access: { keys, required: true, tlsPort },
    work,
    log: pino({ level: 'silent' }),
  });
  const request = {
    url,
    method: 'GET',
    headers: { host: 'hub.local', upgrade: 'websocket' },
    socket: { remoteAddress: '192.0.2.7' },
  };
  const socket = new PassThrough();
  sockets.upgrade(request as unknown as IncomingMessage, socket, Buffer.alloc(0));
  socket.end();
  return await text(socket);
}

test('adopts no camera without HTTPS if HTTPS is available, as the key travels over that link', async () => {
  expect(await answerTo('/ws/adopt', { tlsPort: 443 })).toContain('TLS_REQUIRED');
  expect(await answerTo('/ws/adopt', { tlsPort: null })).not.toContain('TLS_REQUIRED');
});
