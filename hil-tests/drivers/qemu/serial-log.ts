import { RigError } from '../../lib/errors.ts';
import type { Console } from '../../protocols/console.ts';

/** A console that collects text from any driver. Escape sequences are dropped: the log is for people. */
export class SerialLog implements Console {
  #log = '';
  #rest = '';
  readonly #waiting = new Set<() => void>();
  readonly #send: (text: string) => Promise<void>;

  constructor(send: (text: string) => Promise<void>) {
    this.#send = send;
  }

  get log(): string {
    return this.#log;
  }

  append(chunk: string): void {
    const text = this.#rest + chunk;
    // An escape sequence may be cut by the end of a chunk.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are made of them
    const cut = /\u001b(?:\[[0-9;?]*)?$/.exec(text)?.index ?? text.length;
    this.#rest = text.slice(cut);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are made of them
    this.#log += text.slice(0, cut).replace(/\u001b(?:\[[0-9;?]*[A-Za-z]|[A-Za-z=>])|\r/g, '');
    for (const wake of this.#waiting) wake();
  }

  mark(text: string): void {
    this.append(`${this.#log.endsWith('\n') || this.#log === '' ? '' : '\n'}----- ${text}\n`);
  }

  write(text: string): Promise<void> {
    return this.#send(text);
  }

  async expect(pattern: RegExp, options: { timeoutMs: number; since?: number }): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const look = (): void => {
      const match = pattern.exec(this.#log.slice(options.since ?? 0));
      if (match !== null) resolve(match);
    };
    const timer = setTimeout(() => {
      const seconds = Math.round(options.timeoutMs / 1000);
      reject(new RigError('RIG_TIMEOUT', `the console did not say ${pattern} within ${seconds} s`));
    }, options.timeoutMs);
    this.#waiting.add(look);
    try {
      look();
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }
}
