/** Accepts JPEG after JPEG from a program that connects to a Unix socket. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { JpegSplitter } from './jpeg-splitter.ts';

const maxPictureBytes = 4 * 1024 * 1024;

/** Where pictures arrive. */
export interface PictureIntakeOptions {
  /** Path of the socket; short, as such paths have to be. */
  readonly path: string;
  readonly onPicture: (jpeg: Buffer) => void;
  readonly logger: Logger;
}

/** See the head of this file. */
export class PictureIntake implements AsyncDisposable {
  readonly #options: PictureIntakeOptions;
  readonly #connections = new Set<Socket>();
  #server: Server | null = null;

  constructor(options: PictureIntakeOptions) {
    this.#options = options;
  }

  /** Listens from now on. Rejects with the system's error if the socket cannot be opened. */
  async open(): Promise<this> {
    const { path } = this.#options;
    await rm(path, { force: true });
    const server = createServer((socket) => this.#accept(socket));
    server.listen(path);
    await once(server, 'listening');
    this.#server = server;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    for (const socket of this.#connections) socket.destroy();
    const closed = once(server, 'close');
    server.close();
    await closed;
    await rm(this.#options.path, { force: true });
  }

  #accept(socket: Socket): void {
    const { onPicture, logger, path } = this.#options;
    const splitter = new JpegSplitter(maxPictureBytes);
    this.#connections.add(socket);
    socket.on('data', (chunk) => {
      for (const picture of splitter.push(chunk)) onPicture(picture);
    });
    socket.on('error', (error) => logger.debug({ err: error, path }, 'a source of pictures broke off'));
    socket.on('close', () => this.#connections.delete(socket));
  }
}
