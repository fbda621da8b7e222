/** Hands a feed's H.264 to programs of this machine, such as a decoder: Annex B over a Unix socket. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { FeedPort } from './feed-port.ts';
import type { MediaPlane } from './media-plane.ts';
import { TapReader } from './tap-reader.ts';

export interface TapOptions {
  readonly feed: FeedPort;
  readonly datapath: MediaPlane;
  readonly socketPath: string;
  readonly logger: Logger;
}

/** Everybody who connects gets the feed from its newest keyframe on. While nobody is connected it costs nothing. */
export class Tap implements AsyncDisposable {
  readonly #options: TapOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(options: TapOptions) {
    this.#options = options;
  }

  /** Listens; a stale socket file is replaced. Rejects with the system's error. */
  async open(): Promise<void> {
    const { socketPath } = this.#options;
    await rm(socketPath, { force: true });
    const server = createServer((socket) => this.#accept(socket));
    server.listen(socketPath);
    await once(server, 'listening');
    this.#server = server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(this.#options.socketPath, { force: true });
  }

  #accept(socket: Socket): void {
    const { feed, datapath, logger } = this.#options;
    this.#sockets.add(socket);
    const reader = new TapReader(socket, () => feed.requestKeyframe());
    const sink = datapath.openTap(feed, reader);
    // A decoder that ends closes its side as it likes; "close" follows either way.
    socket.on('error', (error) => logger.debug({ err: error, feed: feed.id }, 'a tap broke'));
    socket.on('close', () => {
      this.#sockets.delete(socket);
      sink[Symbol.dispose]();
    });
    socket.resume();
  }
}
