/** Delivers a feed's H.264 or H.265 to programs on this machine, such as a decoder: Annex B over a Unix socket. */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { UnixServer } from '../../common/unix-server.ts';
import type { FeedPort } from './feed-port.ts';
import type { MediaPlane } from './media-plane.ts';
import { TapReader } from './tap-reader.ts';

/** What a tap needs. */
export interface TapOptions {
  readonly feed: FeedPort;
  readonly datapath: MediaPlane;
  readonly socketPath: string;
  readonly logger: Logger;
}

/** Every connection gets the feed from its newest keyframe on. Without connections it costs nothing. */
export class Tap implements AsyncDisposable {
  readonly #options: TapOptions;
  readonly #server: UnixServer;

  constructor(options: TapOptions) {
    this.#options = options;
    const { socketPath, logger, feed } = options;
    this.#server = new UnixServer({
      path: socketPath,
      onConnection: (socket) => this.#accept(socket),
      onError: (error) => logger.warn({ err: error, feed: feed.id }, 'a tap was not opened'),
    });
  }

  /** Listens; a stale socket file is replaced. Rejects with the system's error. */
  async open(): Promise<void> {
    await this.#server.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #accept(socket: Socket): void {
    const { feed, datapath, logger } = this.#options;
    const reader = new TapReader(socket, feed.video.info?.codec ?? 'h264', () => feed.requestKeyframe());
    const sink = datapath.openTap(feed, reader);
    // A decoder closes its side in its own way; "close" follows either way.
    socket.on('error', (error) => logger.debug({ err: error, feed: feed.id }, 'a tap broke'));
    socket.on('close', () => sink[Symbol.dispose]());
    socket.resume();
  }
}
