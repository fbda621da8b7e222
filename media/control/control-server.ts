import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { messageOf } from '../../common/errors.ts';
import { UnixServer } from '../../common/unix-server.ts';
import { SignalingError } from '../signaling/errors.ts';
import { MediaControlError } from './errors.ts';
import { encodeLine, NdjsonReader } from './ndjson.ts';
import {
  type MediaEvent,
  type MethodName,
  methods,
  type ParsedParamsOf,
  type ResultOf,
  requestSchema,
} from './protocol.ts';

/** What a method gets besides its parameters: the connection, so that subscriptions end with it. */
export interface ControlConnection {
  readonly closed: AbortSignal;
  /** The running subscription to metrics, or null. */
  metricsTimer: Disposable | null;
  send(event: MediaEvent): void;
}

/** One handler for each method. */
export type ControlHandlers = {
  [M in MethodName]: (
    params: ParsedParamsOf<M>,
    connection: ControlConnection,
  ) => Promise<ResultOf<M>> | ResultOf<M>;
};

/** Where and how the server listens. */
export interface ControlServerOptions {
  readonly socketPath: string;
  readonly handlers: ControlHandlers;
  readonly logger: Logger;
  /** The number of connections changed. */
  readonly onConnections: (count: number) => void;
}

/** A client that does not read its events is cut off beyond this, in bytes. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;
/** The supervisor, its successor, and a person who looks by hand. */
const MAX_CONNECTIONS = 16;

/** Serves the control channel on a Unix socket. */
export class ControlServer implements AsyncDisposable {
  readonly #options: ControlServerOptions;
  readonly #server: UnixServer;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#server = new UnixServer({
      path: options.socketPath,
      maxConnections: MAX_CONNECTIONS,
      onConnection: (socket) => this.#accept(socket),
      onError: (error) => options.logger.error({ err: error }, 'a control connection was not accepted'),
    });
  }

  /** Listens; a stale socket file is replaced. */
  async open(): Promise<void> {
    await this.#server.open();
  }

  broadcast(event: MediaEvent): void {
    for (const socket of this.#server.connections) send(socket, { ...event });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #accept(socket: Socket): void {
    const reader = new NdjsonReader();
    const closed = new AbortController();
    const connection: ControlConnection = {
      closed: closed.signal,
      metricsTimer: null,
      send: (event) => send(socket, event),
    };
    const { connections } = this.#server;
    this.#options.onConnections(connections.size);
    socket.on('data', (chunk) => {
      try {
        for (const value of reader.push(chunk)) void this.#answer(socket, connection, value);
      } catch (error) {
        this.#options.logger.warn({ err: error }, 'control connection closed: unreadable');
        socket.destroy();
      }
    });
    socket.on('error', (error) => this.#options.logger.debug({ err: error }, 'control connection failed'));
    socket.on('close', () => {
      closed.abort();
      this.#options.onConnections(connections.size);
    });
  }

  async #answer(socket: Socket, connection: ControlConnection, value: unknown): Promise<void> {
    const request = requestSchema.safeParse(value);
    if (!request.success) {
      const error = new MediaControlError('REQUEST_INVALID', 'not a request', { cause: request.error });
      send(socket, { id: null, error: this.#describe(error) });
      return;
    }
    const { id, method, params } = request.data;
    try {
      send(socket, { id, result: await this.#call(method, params, connection) });
    } catch (error) {
      send(socket, { id, error: this.#describe(error) });
    }
  }

  async #call(method: string, params: unknown, connection: ControlConnection): Promise<unknown> {
    if (!isMethod(method)) throw new MediaControlError('METHOD_UNKNOWN', `no method ${method.slice(0, 40)}`);
    const parsed = methods[method].params.safeParse(params);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = issue?.path.join('.') ?? '';
      throw new MediaControlError('REQUEST_INVALID', `${method}: ${where}: ${issue?.message ?? 'invalid'}`);
    }
    const handler = this.#options.handlers[method] as (
      params: unknown,
      connection: ControlConnection,
    ) => unknown;
    return await handler(parsed.data, connection);
  }

  #describe(error: unknown): { code: string; message: string; retryAfterS?: number } {
    if (error instanceof SignalingError) {
      const { code, message, retryAfterS } = error;
      return retryAfterS === undefined ? { code, message } : { code, message, retryAfterS };
    }
    if (error instanceof MediaControlError) return { code: error.code, message: error.message };
    this.#options.logger.error({ err: error }, 'a control request failed');
    return { code: 'INTERNAL', message: messageOf(error) };
  }
}

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

function send(socket: Socket, value: unknown): void {
  if (socket.destroyed || !socket.writable) return;
  socket.write(encodeLine(value));
  if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy();
}
