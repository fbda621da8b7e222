import { type ClientOptions, type RawData, WebSocket } from 'ws';
import { describeError } from './errors.ts';

/** Where pictures come from, such as a feed on this machine or a program's output. */
export interface PictureStream {
  /** The newest picture that was not sent yet, or the next one. Null after the signal is aborted. */
  next(signal: AbortSignal): Promise<Buffer | null>;
}

/** One connection to `WS /ws/feeds/<feed>?publish` of a hub. */
export interface PictureSenderOptions {
  /** `ws:` or `wss:`. */
  readonly url: URL;
  readonly token: string | null;
  /** TLS options that pin the hub's certificate. */
  readonly tls?: Pick<ClientOptions, 'ca' | 'checkServerIdentity'>;
  /** Opens the pictures once the connection is established. */
  readonly open: () => PictureStream & Disposable;
  /** Gets what the hub says, such as why it rejects pictures. */
  readonly onMessage: (text: string) => void;
}

/** How a connection ended. */
export interface PictureSenderEnd {
  /** How many pictures it carried. */
  readonly sent: number;
  readonly reason: string;
  /** The hub refused: trying again soon does not help. */
  readonly refused: boolean;
}

const handshakeMs = 3000;
const pingEveryMs = 1000;
const silentAfterMs = 4000;
/** How long the hub has to answer the goodbye. */
const goodbyeMs = 1000;

/**
 * Sends pictures over one connection, each once the one before has left, until the signal aborts or the connection ends. Never
 * rejects.
 */
export async function sendPictures(
  options: PictureSenderOptions,
  signal: AbortSignal,
): Promise<PictureSenderEnd> {
  const { url, token, tls, open, onMessage } = options;
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, {
    headers,
    handshakeTimeout: handshakeMs,
    perMessageDeflate: false,
    ...tls,
  });
  let end = { reason: 'the connection ended', refused: false };
  const opened = Promise.withResolvers<void>();
  socket.on('open', () => opened.resolve());
  socket.on('unexpected-response', (_request, response) => {
    end = { reason: `the hub answered ${response.statusCode}`, refused: true };
    response.resume();
    socket.terminate();
  });
  socket.on('error', (error) => {
    if (!end.refused) end = { ...end, reason: describeError(error) };
  });
  let late: NodeJS.Timeout | undefined;
  socket.on('close', (code, reason) => {
    clearTimeout(late);
    const refused = end.refused || (code >= 4000 && code < 5000);
    if (reason.length > 0) end = { reason: String(reason), refused };
    over.abort();
    opened.resolve();
  });
  const sayGoodbye = () => {
    late ??= setTimeout(() => socket.terminate(), goodbyeMs);
    socket.close(1000);
  };
  signal.addEventListener('abort', sayGoodbye, { once: true });
  if (signal.aborted) sayGoodbye();
  using _alive = keepAlive(socket, (data) => onMessage(String(data)));
  await opened.promise;
  let sent = 0;
  using pictures = open();
  for (let picture = await pictures.next(stop); picture !== null; picture = await pictures.next(stop)) {
    const left = Promise.withResolvers<void>();
    socket.send(picture, { binary: true }, () => left.resolve());
    await left.promise;
    sent += 1;
  }
  signal.removeEventListener('abort', sayGoodbye);
  if (!signal.aborted) socket.terminate();
  return { sent, ...end };
}

/** A cut cable closes nothing: a hub that answers no ping is gone. */
function keepAlive(socket: WebSocket, onMessage: (data: RawData) => void): Disposable {
  let heardAtMs = performance.now();
  socket.on('pong', () => {
    heardAtMs = performance.now();
  });
  socket.on('message', (data) => {
    heardAtMs = performance.now();
    onMessage(data);
  });
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (performance.now() - heardAtMs > silentAfterMs) socket.terminate();
    else socket.ping();
  }, pingEveryMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
