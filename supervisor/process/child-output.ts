import type { ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import type { ChildLine, LineListener } from './child.ts';
import { LineSplitter } from './line-splitter.ts';
import { LineThrottle } from './line-throttle.ts';
import { OutputTail } from './output-tail.ts';
import type { OutputFiles } from './spawn-program.ts';

const streams = ['stdout', 'stderr'] as const;

/** Passes on the lines of one child, from pipes or files. */
export class ChildOutput implements Disposable {
  readonly #throttle: LineThrottle;
  readonly #logger: Logger;
  #tails: readonly OutputTail[] = [];

  constructor(onLine: LineListener, maxLinesPerSecond: number, logger: Logger) {
    this.#logger = logger;
    this.#throttle = new LineThrottle((line) => this.#hand(onLine, line), maxLinesPerSecond);
  }

  readPipes(child: ChildProcess): void {
    for (const stream of streams) {
      const splitter = new LineSplitter((text) => this.#throttle.push({ stream, text }));
      child[stream]?.on('data', (chunk: Buffer) => splitter.write(chunk));
      child[stream]?.on('close', () => splitter.end());
    }
  }

  followFiles(files: OutputFiles, from: 0 | 'end'): void {
    this.#tails = streams.map((stream) => {
      const onLine = (text: string) => this.#throttle.push({ stream, text });
      const tail = new OutputTail({ file: files[stream], from, logger: this.#logger, onLine });
      tail.open();
      return tail;
    });
  }

  /** Passes on the rest. Idempotent. */
  [Symbol.dispose](): void {
    for (const tail of this.#tails) tail[Symbol.dispose]();
    this.#tails = [];
    this.#throttle.flush();
  }

  #hand(onLine: LineListener, line: ChildLine): void {
    try {
      onLine(line);
    } catch (error) {
      this.#logger.error({ err: error }, 'a reader of the output of a child failed');
    }
  }
}
