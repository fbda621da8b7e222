import type { Logger } from 'pino';

type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** How much {@link LogLimiter} lets pass. */
export interface LogLimiterOptions {
  readonly logger: Logger;
  /** Messages of one key that pass per window. Default 3. */
  readonly burst?: number;
  /** Default 10000. */
  readonly windowMs?: number;
}

interface Window {
  readonly level: LogLevel;
  readonly message: string;
  readonly timer: NodeJS.Timeout;
  seen: number;
}

/**
 * Keeps repeated messages from flooding the log: the first few are written, the others are counted, and the total is logged.
 */
export class LogLimiter implements Disposable {
  readonly #logger: Logger;
  readonly #burst: number;
  readonly #windowMs: number;
  readonly #windows = new Map<string, Window>();

  constructor({ logger, burst = 3, windowMs = 10_000 }: LogLimiterOptions) {
    this.#logger = logger;
    this.#burst = burst;
    this.#windowMs = windowMs;
  }

  /** Logs, or counts. `key` says what counts as the same; it must come from a bounded set. */
  log(level: LogLevel, key: string, fields: object, message: string): void {
    const window = this.#windows.get(key) ?? this.#open(key, level, message);
    window.seen += 1;
    if (window.seen <= this.#burst) this.#logger[level](fields, message);
  }

  /** Logs the totals now. Idempotent. */
  [Symbol.dispose](): void {
    for (const key of [...this.#windows.keys()]) this.#close(key);
  }

  #open(key: string, level: LogLevel, message: string): Window {
    const timer = setTimeout(() => this.#close(key), this.#windowMs);
    timer.unref();
    const window = { level, message, timer, seen: 0 };
    this.#windows.set(key, window);
    return window;
  }

  #close(key: string): void {
    const window = this.#windows.get(key);
    if (window === undefined) return;
    clearTimeout(window.timer);
    this.#windows.delete(key);
    const repeated = window.seen - this.#burst;
    if (repeated > 0)
      this.#logger[window.level]({ repeated, withinMs: this.#windowMs }, `${window.message} (repeated)`);
  }
}
