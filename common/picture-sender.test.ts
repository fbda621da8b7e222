import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { untilAborted } from './pause.ts';
import { sendPictures } from './picture-sender.ts';

let server: Server;
let sockets: WebSocketServer;
let url: URL;
beforeEach(async () => {
  server = createServer((_request, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  sockets = new WebSocketServer({ noServer: true });
  url = new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/feeds/shed?publish`);
});
afterEach(async () => {
  for (const socket of sockets.clients) socket.terminate();
  server.close();
});

function accept(onSocket: (socket: WebSocket, key: string | undefined) => void): void {
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (client) => onSocket(client, request.headers.authorization)),
  );
}

/** Three pictures, then none until the signal is aborted. */
function pictures() {
  let next = 0;
  return {
    next: async (signal: AbortSignal) => {
      if (next < 3 && !signal.aborted) return Buffer.from([next++]);
      await untilAborted(signal);
      return null;
    },
    [Symbol.dispose]: () => {},
  };
}

test('sends pictures with the key, passes on the messages of the hub and closes cleanly', async () => {
  const got: number[] = [];
  const heard: string[] = [];
  const stop = new AbortController();
  const closed = Promise.withResolvers<number>();
  accept((socket, key) => {
    socket.send(`key ${key}`);
    socket.on('message', (data: Buffer) => {
      got.push(...data);
      if (got.length === 3) stop.abort();
    });
    socket.on('close', (code) => closed.resolve(code));
  });
  const end = await sendPictures(
    { url, token: 'rl_1', open: pictures, onMessage: (text) => heard.push(text) },
    stop.signal,
  );
  expect(end).toMatchObject({ sent: 3, refused: false });
  expect([got, heard]).toEqual([[0, 1, 2], ['key Bearer rl_1']]);
  expect(await closed.promise).toBe(1000);
});

test('distinguishes a rejection from a broken connection', async () => {
  const options = { url, token: null, open: pictures, onMessage: () => {} };
  const never = new AbortController().signal;
  // No such route: the server answers with a status.
  expect(await sendPictures(options, never)).toMatchObject({ refused: true, sent: 0 });

  let close = (socket: WebSocket) => socket.close(4009, 'taken by another key');
  accept((socket) => close(socket));
  expect(await sendPictures(options, never)).toMatchObject({ refused: true, reason: 'taken by another key' });
  close = (socket) => socket.terminate();
  expect(await sendPictures(options, never)).toMatchObject({ refused: false });
});
