import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { maxPictureBytes } from '../../common/picture-size.ts';
import { UnixServer } from '../../common/unix-server.ts';
import { JpegSplitter } from './jpeg-splitter.ts';

/** Where pictures arrive. */
export interface PictureIntakeOptions {
  /** Path of the socket; short, as such paths have to be. */
  readonly path: string;
  readonly onPicture: (jpeg: Buffer) => void;
  readonly logger: Logger;
}

/** Accepts JPEG after JPEG from a program that connects to a Unix socket. */
export class PictureIntake implements AsyncDisposable {
  readonly #options: PictureIntakeOptions;
  readonly #server: UnixServer;

  constructor(options: PictureIntakeOptions) {
    this.#options = options;
    const { path, logger } = options;
    this.#server = new UnixServer({
      path,
      onConnection: (socket) => this.#accept(socket),
      onError: (error) => logger.warn({ err: error, path }, 'a source of pictures was not accepted'),
    });
  }

  /** Listens from now on. Rejects with the system's error if the socket cannot be opened. */
  async open(): Promise<this> {
    await this.#server.open();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #accept(socket: Socket): void {
    const { onPicture, logger, path } = this.#options;
    const splitter = new JpegSplitter(maxPictureBytes);
    socket.on('data', (chunk) => {
      for (const picture of splitter.push(chunk)) onPicture(picture);
    });
    socket.on('error', (error) => logger.debug({ err: error, path }, 'a source of pictures broke off'));
  }
}
