import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';

/** Where to listen, and what to do with a connection. */
export interface UnixServerOptions {
  /** Path of the socket; short, as such paths have to be. */
  readonly path: string;
  /** Called with each connection. The caller listens to its `error` event. */
  readonly onConnection: (socket: Socket) => void;
  /**
   * Called when a connection cannot be accepted, for example because this process has no descriptors left. The server goes on,
   * and may call it again for each connection that waits.
   */
  readonly onError: (error: Error) => void;
  /** Further connections are refused. Default: no limit. */
  readonly maxConnections?: number;
}

/** Accepts connections on a Unix socket. Disposing of it ends them all and removes the socket's file. */
export class UnixServer implements AsyncDisposable {
  readonly #options: UnixServerOptions;
  readonly #connections = new Set<Socket>();
  #server: Server | null = null;

  constructor(options: UnixServerOptions) {
    this.#options = options;
  }

  /** The open connections. */
  get connections(): ReadonlySet<Socket> {
    return this.#connections;
  }

  /** Listens from now on; a stale file of the socket is replaced. Rejects with the system's error if that is not possible. */
  async open(): Promise<void> {
    const { path, maxConnections, onConnection, onError } = this.#options;
    await rm(path, { force: true });
    const server = createServer((socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
      onConnection(socket);
    });
    if (maxConnections !== undefined) server.maxConnections = maxConnections;
    server.listen(path);
    await once(server, 'listening');
    // Without a listener the event would end the process.
    server.on('error', onError);
    this.#server = server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
    await rm(this.#options.path, { force: true });
  }
}
