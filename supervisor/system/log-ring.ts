import { Writable } from 'node:stream';

/** Keeps the latest lines of the log in memory, for the API. */
export class LogRing extends Writable {
  readonly #capacity: number;
  #lines: string[] = [];

  constructor(capacity = 2000) {
    super({ decodeStrings: false });
    this.#capacity = capacity;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#lines.push(
      ...String(chunk)
        .split('\n')
        .filter((line) => line !== ''),
    );
    if (this.#lines.length > this.#capacity * 1.5) this.#lines = this.#lines.slice(-this.#capacity);
    done();
  }

  latest(count: number): readonly string[] {
    return this.#lines.slice(-Math.min(count, this.#capacity));
  }
}
