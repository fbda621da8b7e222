import { createParser } from 'eventsource-parser';
import { backoffMs } from '../../../../common/backoff.ts';
import { ApiCallError, type ApiClient } from './api-client.ts';
import { type AppAction, parseEvent } from './app-state.ts';
import { pauseUntilOnline } from './pause.ts';

const retryLimits = { firstMs: 1000, maxMs: 10_000 };
/** The appliance writes at least every 15 s. After this much silence the stream counts as dead, and is opened again. */
const silenceLimitMs = 25_000;

/** Characters. A status of many cameras has a few ten thousand. */
const longestEvent = 4 * 1024 * 1024;

/** A sentence: what browsers report about a broken stream ("network error") is not one. */
const reasonOf = (error: unknown): string =>
  error instanceof ApiCallError ? error.message : 'The connection broke off.';

/**
 * Keeps the page's state of the appliance fresh: status, takes, then events until the stream breaks, and again. Ends when the
 * signal aborts, or by `locked` when the appliance asks for a key.
 */
export class StatusLink {
  readonly #api: ApiClient;
  readonly #dispatch: (action: AppAction) => void;
  readonly #silenceMs: number;
  #attempt = 0;
  #deviceEvents = 0;

  constructor(api: ApiClient, dispatch: (action: AppAction) => void, silenceMs: number = silenceLimitMs) {
    this.#api = api;
    this.#dispatch = dispatch;
    this.#silenceMs = silenceMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#dispatch({ type: 'connecting' });
      let reason = 'The appliance closed the connection.';
      try {
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiCallError && (error.code === 'UNAUTHORIZED' || error.code === 'FORBIDDEN')) {
          // Without any key there is nothing to explain; a rejected one needs its reason.
          const reason = error.problem?.code === 'TOKEN_MISSING' ? null : error.message;
          this.#dispatch({ type: 'locked', reason });
          return;
        }
        reason = reasonOf(error);
      }
      if (signal.aborted) return;
      const waitMs = backoffMs(this.#attempt, retryLimits);
      this.#attempt += 1;
      const atMs = Date.now();
      this.#dispatch({ type: 'lost', reason, atMs, retryAtMs: atMs + waitMs });
      await pauseUntilOnline(waitMs, signal);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    try {
      for (;;) {
        await this.#refresh(both);
        this.#dispatch({ type: 'takes', takes: await this.#api.takes(both) });
        const stream = await this.#api.events(both);
        this.#dispatch({ type: 'open' });
        this.#attempt = 0;
        const [end] = await Promise.all([this.#read(stream, both), this.#listDevices(both)]);
        if (end === 'closed') return;
      }
    } finally {
      stop.abort();
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { status, clockMs } = await this.#api.status(signal);
    const clockOffsetMs = clockMs === null ? null : clockMs - Date.now();
    this.#dispatch({ type: 'status', status, clockOffsetMs });
  }

  /** After the events began, so that none is missed; requested again if one came while the list was on its way. */
  async #listDevices(signal: AbortSignal): Promise<void> {
    for (;;) {
      const before = this.#deviceEvents;
      const listed = await this.#api.devices(signal);
      if (before !== this.#deviceEvents) continue;
      this.#dispatch({ type: 'devices', ...listed });
      return;
    }
  }

  /**
   * Reads until the stream ends, or is silent for so long that it is dead: a machine that slept never notices that the other side
   * has hung up.
   */
  async #read(stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<'closed' | 'silent'> {
    const parser = createParser({
      maxBufferSize: longestEvent,
      onEvent: ({ data }) => {
        const event = parseEvent(data);
        if (event === null) return;
        if (event.type.startsWith('device-')) this.#deviceEvents += 1;
        this.#dispatch({ type: 'event', event });
      },
    });
    const decoder = new TextDecoder();
    const reader = stream.getReader();
    const over = new AbortController();
    const { promise: ended, resolve, reject } = Promise.withResolvers<'silent'>();
    signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal });
    let heardAtMs = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - heardAtMs >= this.#silenceMs) resolve('silent');
    }, this.#silenceMs / 10);
    try {
      for (;;) {
        const next = await Promise.race([reader.read(), ended]);
        if (next === 'silent') return next;
        const { done, value } = next;
        if (done) return 'closed';
        heardAtMs = performance.now();
        parser.feed(decoder.decode(value, { stream: true }));
      }
    } finally {
      clearInterval(watch);
      over.abort();
      // Cancelling a stream that has already failed rejects with that failure, which is on its way to the caller.
      reader.cancel().catch(() => {});
    }
  }
}
