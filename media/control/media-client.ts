import { EventEmitter } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { pause } from '../../common/pause.ts';
import { MediaControlError, MediaRequestError } from './errors.ts';
import { encodeLine, NdjsonReader } from './ndjson.ts';
import {
  type MediaEvent,
  type MethodName,
  mediaEventSchema,
  methods,
  type ParamsOf,
  type ResultOf,
  responseSchema,
} from './protocol.ts';

const RECONNECT_MS = 100;
const defaultTimeouts = { requestMs: 10_000, configureMs: 60_000, retryMs: 1_000 };

/** Events of the channel. */
export interface MediaClientEvents {
  /** The channel is up and the configuration, if there is one, is in force. */
  connected: [];
  disconnected: [];
  event: [event: MediaEvent];
  /** A configuration was applied; `problems` names what could not be set up. */
  configured: [problems: readonly string[]];
}

interface Pending {
  readonly method: MethodName;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Where and how the client connects. */
export interface MediaClientOptions {
  readonly socketPath: string;
  readonly logger: Logger;
  /** How long an answer may take, in milliseconds; the first configuration makes keys, which takes a small board some time. */
  readonly timeouts?: Partial<typeof defaultTimeouts>;
}

/** The supervisor's end of the control channel: connects, reconnects, and restores the configuration. */
export class MediaClient {
  readonly events = new EventEmitter<MediaClientEvents>();
  readonly #options: MediaClientOptions;
  readonly #timeouts: typeof defaultTimeouts;
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | null = null;
  #isSet = false;
  #config: ParamsOf<'configure'> | null = null;
  #metricsMs: number | null = null;
  #nextId = 1;

  constructor(options: MediaClientOptions) {
    this.#options = options;
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts };
  }

  get connected(): boolean {
    return this.#socket !== null;
  }

  /** Whether the current process has accepted its configuration. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** Keeps the channel up until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#connectOnce(signal);
      // An abort ends the pause early.
      await pause(RECONNECT_MS, signal);
    }
  }

  /**
   * Sets what the media process should do; kept, and sent to every later process. Resolves with what could not be set up; null
   * if there is no process yet: it gets the configuration when it comes.
   */
  async configure(config: ParamsOf<'configure'>): Promise<readonly string[] | null> {
    this.#config = config;
    return this.#socket === null ? null : await this.#sendConfig(config);
  }

  whipOffer(params: ParamsOf<'whipOffer'>): Promise<ResultOf<'whipOffer'>> {
    return this.request('whipOffer', params);
  }

  whepOffer(params: ParamsOf<'whepOffer'>): Promise<ResultOf<'whepOffer'>> {
    return this.request('whepOffer', params);
  }

  patchSession(params: ParamsOf<'patchSession'>): Promise<ResultOf<'patchSession'>> {
    return this.request('patchSession', params);
  }

  selectLayer(params: ParamsOf<'selectLayer'>): Promise<ResultOf<'selectLayer'>> {
    return this.request('selectLayer', params);
  }

  async closeSession(session: string | ParamsOf<'closeSession'>): Promise<void> {
    await this.request('closeSession', typeof session === 'string' ? { sessionId: session } : session);
  }

  /** Ends what was opened with a key. Returns the number of sessions. */
  endSessionsOf(keyId: string): Promise<number> {
    return this.request('endSessionsOf', { keyId });
  }

  /** Ends what was opened with any other key. Returns the number of sessions. */
  endSessionsExcept(keyIds: readonly string[]): Promise<number> {
    return this.request('endSessionsExcept', { keyIds: [...keyIds] });
  }

  sessionInfo(session: string | ParamsOf<'sessionInfo'>): Promise<ResultOf<'sessionInfo'>> {
    return this.request('sessionInfo', typeof session === 'string' ? { sessionId: session } : session);
  }

  feeds(): Promise<ResultOf<'feeds'>> {
    return this.request('feeds', {});
  }

  status(): Promise<ResultOf<'status'>> {
    return this.request('status', {});
  }

  /** Asks for `metrics` events; null ends them. Kept across reconnects. */
  async subscribeMetrics(intervalMs: number | null): Promise<void> {
    this.#metricsMs = intervalMs;
    if (this.#socket !== null) await this.request('subscribeMetrics', { intervalMs });
  }

  /**
   * Rejects with MediaRequestError (codes of the media process, such as FEED_BUSY) or MediaControlError MEDIA_UNAVAILABLE if no
   * process answers.
   */
  request<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    const socket = this.#socket;
    if (socket === null) return Promise.reject(unavailable('the media process is not there'));
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(
      () => {
        this.#pending.delete(id);
        reject(unavailable(`the media process did not answer ${method}`));
      },
      method === 'configure' ? this.#timeouts.configureMs : this.#timeouts.requestMs,
    );
    this.#pending.set(id, { method, resolve, reject, timer });
    socket.write(encodeLine({ id, method, params }));
    return promise as Promise<ResultOf<M>>;
  }

  async #connectOnce(signal: AbortSignal): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const socket = createConnection(this.#options.socketPath);
    const stop = (): void => {
      socket.destroy();
    };
    signal.addEventListener('abort', stop, { once: true });
    const reader = new NdjsonReader();
    socket.on('connect', () => void this.#opened(socket));
    socket.on('data', (chunk) => this.#receive(socket, reader, chunk));
    socket.on('error', (error) => this.#options.logger.trace({ err: error }, 'control channel'));
    socket.on('close', () => resolve());
    await closed;
    signal.removeEventListener('abort', stop);
    this.#closed(socket);
  }

  /** Repeats until the process has taken its configuration: without one it is useless, and nothing else would send it. */
  async #opened(socket: Socket): Promise<void> {
    this.#socket = socket;
    let failures = 0;
    while (this.#socket === socket) {
      try {
        if (this.#config !== null) await this.#sendConfig(this.#config);
        if (this.#metricsMs !== null) await this.request('subscribeMetrics', { intervalMs: this.#metricsMs });
        if (this.#socket !== socket) return;
        this.#isSet = true;
        this.#emit('connected');
        return;
      } catch (error) {
        if (this.#socket !== socket) return;
        failures += 1;
        this.#options.logger.error(
          { err: error, failures },
          'the media process does not take its configuration',
        );
        await sleep(this.#timeouts.retryMs, undefined, { ref: false });
      }
    }
  }

  async #sendConfig(config: ParamsOf<'configure'>): Promise<readonly string[]> {
    const { problems } = await this.request('configure', config);
    this.#emit('configured', problems);
    return problems;
  }

  #closed(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#isSet = false;
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(unavailable('the media process went away'));
    }
    this.#pending.clear();
    this.#emit('disconnected');
  }

  #receive(socket: Socket, reader: NdjsonReader, chunk: Buffer): void {
    try {
      for (const value of reader.push(chunk)) this.#take(value);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the media process cannot be understood');
      socket.destroy();
    }
  }

  /** What a listener makes of it is its own affair: the channel goes on. */
  #emit<Name extends keyof MediaClientEvents>(name: Name, ...values: MediaClientEvents[Name]): void {
    try {
      (this.events as EventEmitter).emit(name, ...values);
    } catch (error) {
      this.#options.logger.error(
        { err: error, event: name },
        'an event of the media process was not handled',
      );
    }
  }

  #take(value: unknown): void {
    const event = mediaEventSchema.safeParse(value);
    if (event.success) {
      this.#emit('event', event.data);
      return;
    }
    const response = responseSchema.safeParse(value);
    if (!response.success || response.data.id === null) {
      this.#options.logger.warn({ value }, 'unknown message of the media process');
      return;
    }
    const pending = this.#pending.get(response.data.id);
    if (pending === undefined) return;
    this.#pending.delete(response.data.id);
    clearTimeout(pending.timer);
    if (response.data.error !== undefined) {
      pending.reject(new MediaRequestError(response.data.error));
      return;
    }
    const result = methods[pending.method].result.safeParse(response.data.result);
    if (result.success) pending.resolve(result.data);
    else
      pending.reject(
        new MediaControlError('INTERNAL', `malformed result of ${pending.method}`, { cause: result.error }),
      );
  }
}

function unavailable(message: string): MediaControlError {
  return new MediaControlError('MEDIA_UNAVAILABLE', message);
}
