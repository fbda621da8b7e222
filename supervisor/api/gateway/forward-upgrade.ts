import type { ClientRequest, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { endToEnd, headText, type RawHeaders } from './raw-headers.ts';
import type { Upstream } from './upstream.ts';
import { refuseSocket, upstreamProblem } from './upstream-error.ts';

/**
 * Passes an upgrade (such as a WebSocket) on: the handshake unchanged, then bytes both ways until either side ends. An answer
 * other than 101 goes back unchanged.
 */
export async function forwardUpgrade(
  upstream: Upstream,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  edit: (headers: RawHeaders) => RawHeaders,
): Promise<unknown> {
  const headers = [
    ...edit(endToEnd(incoming.rawHeaders)),
    ...['Connection', 'Upgrade', 'Upgrade', incoming.headers.upgrade ?? 'websocket'],
  ];
  let outgoing: ClientRequest | undefined;
  const abandon = () => outgoing?.destroy();
  socket.once('close', abandon);
  // Errors of the client's socket end in `close`; without a listener they would end the process.
  socket.on('error', abandon);
  try {
    outgoing = upstream.open(incoming.method ?? 'GET', incoming.url ?? '/', headers, false);
    const { answer, backend, rest } = await handshake(outgoing);
    if (backend === undefined) return await refuse(answer, socket);
    socket.write(headText(`HTTP/1.1 101 ${answer.statusMessage}`, answer.rawHeaders), 'latin1');
    if (rest.length > 0) socket.write(rest);
    if (head.length > 0) backend.write(head);
    await join(socket, backend);
    return null;
  } catch (error) {
    if (!socket.destroyed) refuseSocket(socket, upstreamProblem(error, incoming.url ?? '/'));
    return error;
  } finally {
    socket.off('close', abandon);
  }
}

type Answer =
  | { readonly answer: IncomingMessage; readonly backend: Duplex; readonly rest: Buffer }
  | { readonly answer: IncomingMessage; readonly backend?: never; readonly rest?: never };

function handshake(outgoing: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.once('upgrade', (answer, backend, rest) => resolve({ answer, backend, rest }));
    outgoing.once('response', (answer) => resolve({ answer }));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function refuse(answer: IncomingMessage, socket: Duplex): Promise<null> {
  const start = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`;
  // The body ends with the connection, so it needs no framing of its own.
  socket.write(headText(start, [...endToEnd(answer.rawHeaders), 'Connection', 'close']), 'latin1');
  await pipeline(answer, socket);
  return null;
}

/** Bytes both ways; the end or loss of one side ends the other. */
async function join(client: Duplex, backend: Duplex): Promise<void> {
  for (const side of [client, backend]) {
    if (!(side instanceof Socket)) continue;
    side.setTimeout(0);
    side.setNoDelay(true);
    side.setKeepAlive(true, 30_000);
  }
  const both = [pipeline(client, backend), pipeline(backend, client)];
  // A side that is lost without a goodbye is gone like one that ended.
  await Promise.allSettled(both);
  client.destroy();
  backend.destroy();
}
