import type { Readable } from 'node:stream';
import { CliError } from './api-client.ts';

const headEnd = Buffer.from('\r\n\r\n');
const maxWaitingBytes = 16 * 1024 * 1024;

/** Pictures from a stream as ffmpeg's mpjpeg muxer writes it: parts with a Content-Length. Only the newest one is kept. */
export class PictureInput {
  #newest: Buffer | null = null;
  #wake: () => void = () => {};

  /** Reads to the end. Rejects if the stream breaks or has another format. */
  async read(input: Readable): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of input) {
      rest = this.#takeParts(Buffer.concat([rest, chunk]));
      if (rest.length > maxWaitingBytes)
        throw new CliError('The input has no pictures. Use ffmpeg with -f mpjpeg.');
    }
  }

  /** The newest picture, or the next one; null once the signal is aborted. */
  async next(signal: AbortSignal): Promise<Buffer | null> {
    while (!signal.aborted) {
      const picture = this.#newest;
      this.#newest = null;
      if (picture !== null) return picture;
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
      await promise;
      signal.removeEventListener('abort', wake);
    }
    return null;
  }

  /** The rest after the last complete part. */
  #takeParts(data: Buffer): Buffer {
    for (let from = 0; ; ) {
      const end = data.indexOf(headEnd, from);
      const length = /content-length:\s*(\d+)/i.exec(data.toString('latin1', from, Math.max(from, end)))?.[1];
      const start = end + headEnd.length;
      if (length === undefined || start + Number(length) > data.length) return data.subarray(from);
      this.#newest = Buffer.from(data.subarray(start, start + Number(length)));
      this.#wake();
      from = start + Number(length);
    }
  }
}
