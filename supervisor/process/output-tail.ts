import { closeSync, type FSWatcher, fstatSync, ftruncateSync, openSync, readSync, watch } from 'node:fs';
import type { Logger } from 'pino';
import { LineSplitter } from './line-splitter.ts';

const chunkBytes = 64 * 1024;

/** Where and how the file is read. */
export interface OutputTailOptions {
  readonly file: string;
  /** Where reading starts: 0 for a child just started, `end` for one that was taken over. */
  readonly from: 0 | 'end';
  /** A file that is larger than this and was read to its end is emptied, in bytes. Default 1 MiB. */
  readonly truncateBytes?: number;
  readonly logger: Logger;
  readonly onLine: (line: string) => void;
}

/**
 * Follows the file to which a durable child appends its output, by inotify, and keeps it short. The writer opened it with
 * O_APPEND, so it continues at the new end after the file was emptied.
 */
export class OutputTail implements Disposable {
  readonly #options: OutputTailOptions;
  readonly #splitter: LineSplitter;
  #fd: number | undefined;
  #watcher: FSWatcher | undefined;
  #offset = 0;

  constructor(options: OutputTailOptions) {
    this.#options = options;
    this.#splitter = new LineSplitter(options.onLine);
  }

  open(): void {
    const { file, from, logger } = this.#options;
    this.#fd = openSync(file, 'a+', 0o600);
    this.#offset = from === 'end' ? fstatSync(this.#fd).size : 0;
    this.#watcher = watch(file, () => this.#drainOrWarn());
    this.#watcher.on('error', (error) =>
      logger.warn({ err: error, file }, 'cannot follow the output of a child'),
    );
    this.drain();
  }

  /** Reads what was written since the last time. */
  drain(): void {
    if (this.#fd === undefined) return;
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const length = readSync(this.#fd, buffer, 0, chunkBytes, this.#offset);
      if (length === 0) break;
      this.#offset += length;
      this.#splitter.write(buffer.subarray(0, length));
    }
    const { size } = fstatSync(this.#fd);
    const tooLong = this.#offset > (this.#options.truncateBytes ?? 1024 * 1024);
    if (size < this.#offset || (tooLong && size === this.#offset)) {
      if (size === this.#offset) ftruncateSync(this.#fd, 0);
      this.#offset = 0;
    }
  }

  #drainOrWarn(): void {
    try {
      this.drain();
    } catch (error) {
      this.#options.logger.warn(
        { err: error, file: this.#options.file },
        'cannot read the output of a child',
      );
    }
  }

  /** Reads the rest, as far as the disk gives it, and closes the file. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    this.#drainOrWarn();
    this.#splitter.end();
    this.#watcher?.close();
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}
