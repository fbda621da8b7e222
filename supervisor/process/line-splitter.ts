import { StringDecoder } from 'node:string_decoder';

const maxLineLength = 8192;

/**
 * Cuts a stream of bytes into lines. A carriage return also ends a line, because progress displays use it. Empty lines are left
 * out; a line longer than 8192 characters is cut and its rest dropped.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #partial = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Uint8Array): void {
    const pieces = this.#decoder.write(chunk).split(/[\r\n]/);
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      this.#append(piece);
      this.#flush();
    }
    this.#append(last);
  }

  /** The stream has ended: passes on a rest without a line end. */
  end(): void {
    this.#append(this.#decoder.end());
    this.#flush();
  }

  #append(piece: string): void {
    const room = maxLineLength - this.#partial.length;
    if (room > 0) this.#partial += piece.slice(0, room);
  }

  #flush(): void {
    const line = this.#partial;
    this.#partial = '';
    if (line !== '') this.#onLine(line);
  }
}
