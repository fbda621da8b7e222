import { RushlightError } from '../../common/errors.ts';

/** Newline-delimited JSON with a bound on the line. */

/** Longest line, in bytes. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** A line that is too long, or not JSON. */
export class NdjsonError extends RushlightError {
  readonly code = 'NDJSON_INVALID';
}

/** Cuts a byte stream into JSON values. Throws NdjsonError; the stream is unusable after that. */
export class NdjsonReader {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): unknown[] {
    const values: unknown[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, end));
      const line = Buffer.concat(this.#chunks).toString('utf8');
      this.#chunks = [];
      this.#bytes = 0;
      start = end + 1;
      if (line.trim() !== '') values.push(parseLine(line));
    }
    this.#keep(chunk.subarray(start));
    return values;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > MAX_LINE_BYTES) throw new NdjsonError(`a line exceeds ${MAX_LINE_BYTES} bytes`);
    this.#chunks.push(part);
  }
}

/** A value as a line. */
export function encodeLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new NdjsonError('a line is not JSON', { cause });
  }
}
