import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import type { Child, ChildExit, ChildHost, ChildLine, ChildSpec, LineListener } from './child.ts';
import { LineRing } from './line-ring.ts';
import { decideRestart, defaultRestartPolicy, type RestartPolicy } from './restart-policy.ts';

/** The state of a supervised program. */
export type SupervisedState =
  | { readonly phase: 'stopped' }
  | { readonly phase: 'starting'; readonly pid?: number }
  | { readonly phase: 'running'; readonly pid: number; readonly adopted: boolean }
  | { readonly phase: 'backing-off'; readonly reason: string; readonly retryInMs: number };

/** How one program is kept running. */
export interface SupervisedChildOptions {
  readonly host: ChildHost;
  readonly spec: ChildSpec;
  readonly logger: Logger;
  readonly policy?: Partial<RestartPolicy>;
  readonly onLine?: LineListener;
  readonly onState?: (state: SupervisedState) => void;
  /** Recognises the line with which the child reports that it is ready. Without it, a started child is ready. */
  readonly isReady?: (line: ChildLine) => boolean;
  /** A child that is not ready within this time is ended and counts as failed, in milliseconds. Default 10000. */
  readonly readyTimeoutMs?: number;
  readonly random?: () => number;
}

/** Keeps one program running until it is stopped. */
export class SupervisedChild {
  readonly #options: SupervisedChildOptions;
  readonly #ring = new LineRing();
  #current: SupervisedState = { phase: 'stopped' };
  #child: Child | undefined;
  #failures = 0;
  #runs = 0;
  #restartWanted: boolean = false;

  constructor(options: SupervisedChildOptions) {
    this.#options = options;
  }

  get state(): SupervisedState {
    return this.#current;
  }

  /** How often it was restarted so far. */
  get restarts(): number {
    return Math.max(0, this.#runs - 1);
  }

  /** Its last lines, oldest first. */
  get lastLines(): readonly string[] {
    return this.#ring.snapshot();
  }

  /** Ends the running program, which then starts again at once. */
  async restart(): Promise<void> {
    if (this.#child === undefined) return;
    this.#restartWanted = true;
    await this.#child.stop();
  }

  /** Starts the program and keeps it running until the signal, then ends it. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { policy, random = Math.random, logger, spec } = this.#options;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const reason = await this.#runOnce(signal);
      if (signal.aborted) break;
      if (this.#restartWanted) {
        this.#restartWanted = false;
        continue;
      }
      const ranForMs = performance.now() - startedMs;
      const { failures, delayMs } = decideRestart(
        { ...defaultRestartPolicy, ...policy },
        this.#failures,
        ranForMs,
        random(),
      );
      this.#failures = failures;
      logger.warn(
        { child: spec.name, reason, failures, retryInMs: delayMs },
        'a program ended; it is started again',
      );
      this.#enter({ phase: 'backing-off', reason, retryInMs: delayMs });
      await pause(delayMs, signal);
    }
    this.#enter({ phase: 'stopped' });
  }

  /** One life of the program. Returns why it ended. */
  async #runOnce(signal: AbortSignal): Promise<string> {
    const { host, spec, readyTimeoutMs = 10_000 } = this.#options;
    const ready = Promise.withResolvers<'ready'>();
    this.#ring.clear();
    this.#enter({ phase: 'starting' });
    this.#runs += 1;
    let child: Child;
    try {
      child = await host.spawn(spec, (line) => this.#hear(line, ready.resolve));
    } catch (error) {
      return describeError(error);
    }
    this.#child = child;
    const stop = () => void child.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      this.#enter({ phase: 'starting', pid: child.pid });
      // An adopted child reported long ago, to the supervisor before this one, that it is ready.
      if (this.#options.isReady === undefined || child.adopted) ready.resolve('ready');
      const timeout = new AbortController();
      const first = await Promise.race([
        ready.promise,
        child.exited,
        sleep(readyTimeoutMs, 'late' as const, { signal: timeout.signal }).catch(() => 'late' as const),
      ]);
      timeout.abort();
      if (first === 'late') {
        await child.stop();
        return `not ready within ${readyTimeoutMs} ms${this.#lastWords()}`;
      }
      if (first === 'ready') this.#enter({ phase: 'running', pid: child.pid, adopted: child.adopted });
      const exit = await child.exited;
      await child.stop();
      return describeExit(exit) + this.#lastWords();
    } finally {
      signal.removeEventListener('abort', stop);
      this.#child = undefined;
    }
  }

  #hear(line: ChildLine, ready: (value: 'ready') => void): void {
    this.#ring.push(line.text);
    if (this.#options.isReady?.(line) === true) ready('ready');
    this.#options.onLine?.(line);
  }

  #lastWords(): string {
    return this.#ring.last === undefined ? '' : `; last line: ${this.#ring.last}`;
  }

  #enter(state: SupervisedState): void {
    this.#current = state;
    this.#options.onState?.(state);
  }
}

/** How a program ended, in words. */
function describeExit({ code, signal }: ChildExit): string {
  if (signal !== null) return `ended by ${signal}`;
  if (code !== null) return code === 0 ? 'ended by itself' : `ended with code ${code}`;
  return 'ended unseen';
}
