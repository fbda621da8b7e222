import type { Logger } from 'pino';
import { type RawData, WebSocket } from 'ws';
import { backoffMs } from '../../../common/backoff.ts';
import { describeError } from '../../../common/errors.ts';
import { parseJsonText } from '../../../common/json-text.ts';
import { pause } from '../../../common/pause.ts';
import { pictureRefusalSchema } from '../../contract/index.ts';
import type { FrameWatch } from '../../contract/ports.ts';
import { pinTls } from '../../discovery/pinned-tls.ts';
import type { Push } from '../media-link.ts';

/** What is pushed, and where. */
export interface JpegPushOptions {
  /** `url` is the hub's `/ws/feeds/<feed>`, by http or https. */
  readonly target: Push;
  /** Opens one more client of the feed on this machine. */
  readonly watch: () => FrameWatch;
  readonly log: Logger;
}

/** Short, since a feed must be back within 3 s of the link's return. */
const retryLimits = { firstMs: 250, maxMs: 1000 };
/** For errors that a quick retry does not fix: an unknown key, a name that is taken. */
const refusedLimits = { firstMs: 5000, maxMs: 5000 };
const handshakeMs = 3000;
const pingEveryMs = 1000;
const silentAfterMs = 4000;

/** Publishes a feed of pictures to the hub: always the newest picture, each once the one before has left. */
export class JpegPush {
  readonly #options: JpegPushOptions;

  constructor(options: JpegPushOptions) {
    this.#options = options;
  }

  /** Until abort; connects again after every failure. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { target, log } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const { sent, reason, refused } = await this.#once(signal);
      if (signal.aborted) return;
      failures = sent > 0 ? 0 : failures + 1;
      if (failures <= 1) log.warn({ feed: target.feed, reason }, 'publishing pictures failed; trying on');
      await pause(backoffMs(failures, refused ? refusedLimits : retryLimits), signal);
    }
  }

  /** One connection. Returns how many pictures it carried, and why it ended. */
  async #once(signal: AbortSignal): Promise<{ sent: number; reason: string; refused: boolean }> {
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    let end = { reason: 'the connection ended', refused: false };
    let sent = 0;
    let socket: WebSocket;
    try {
      socket = await this.#open(stop);
    } catch (error) {
      return { sent, reason: describeError(error), refused: false };
    }
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
    socket.on('close', (code, reason) => {
      const refused = end.refused || (code >= 4000 && code < 5000);
      if (reason.length > 0) end = { reason: String(reason), refused };
      over.abort();
      opened.resolve();
    });
    const close = () => socket.terminate();
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    using _alive = keepAlive(socket, (data) => this.#hear(data));
    await opened.promise;
    using watch = this.#options.watch();
    for (let picture = await watch.next(stop); picture !== null; picture = await watch.next(stop)) {
      const left = Promise.withResolvers<void>();
      socket.send(picture, { binary: true }, () => left.resolve());
      await left.promise;
      sent += 1;
    }
    signal.removeEventListener('abort', close);
    socket.terminate();
    return { sent, ...end };
  }

  async #open(signal: AbortSignal): Promise<WebSocket> {
    const { url: base, token, tlsFingerprint } = this.#options.target;
    const url = new URL(`${base}?publish`);
    const secure = url.protocol === 'https:';
    const tls = secure && tlsFingerprint !== null ? await pinTls(url, tlsFingerprint, signal) : {};
    url.protocol = secure ? 'wss:' : 'ws:';
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    return new WebSocket(url, { headers, handshakeTimeout: handshakeMs, perMessageDeflate: false, ...tls });
  }

  #hear(data: RawData): void {
    const { target, log } = this.#options;
    const refusal = refusalIn(String(data));
    if (refusal !== null) log.info({ feed: target.feed, ...refusal }, 'the hub refused pictures');
  }
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

function refusalIn(text: string): { code: string; reason: string; count: number } | null {
  try {
    const { code, message, count } = pictureRefusalSchema.parse(parseJsonText(text));
    return { code, reason: message, count };
  } catch {
    // From a hub of another version; it is not needed.
    return null;
  }
}
