/** Cuts a stream of concatenated JPEGs, as ffmpeg's image2pipe and mjpeg muxers write it, into pictures. */
import { scanJpeg } from './jpeg.ts';

const start = Buffer.from([0xff, 0xd8, 0xff]);

export class JpegSplitter {
  readonly #maxBytes: number;
  #rest: Buffer = Buffer.alloc(0);
  #skippedBytes = 0;

  /** @param maxBytes a picture that is longer is given up, and the next one looked for */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that belonged to no picture. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** The pictures that are complete with this chunk, in order. Never throws. */
  push(chunk: Buffer): Buffer[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const pictures: Buffer[] = [];
    for (;;) {
      rest = this.#toStart(rest);
      const scan = scanJpeg(rest);
      if (scan.kind === 'complete') {
        pictures.push(Buffer.from(rest.subarray(0, scan.bytes)));
        rest = rest.subarray(scan.bytes);
      } else if (scan.kind === 'invalid' || rest.length > this.#maxBytes) {
        if (rest.length < start.length) break;
        rest = this.#skip(rest, start.length);
      } else {
        break;
      }
    }
    this.#rest = Buffer.from(rest);
    return pictures;
  }

  /** Drops what lies before the next start of a picture; a start that may go on in the next chunk is kept. */
  #toStart(data: Buffer): Buffer {
    const at = data.indexOf(start);
    if (at >= 0) return this.#skip(data, at);
    for (let kept = Math.min(start.length - 1, data.length); kept > 0; kept -= 1) {
      const from = data.length - kept;
      if (data.subarray(from).equals(start.subarray(0, kept))) return this.#skip(data, from);
    }
    return this.#skip(data, data.length);
  }

  #skip(data: Buffer, bytes: number): Buffer {
    this.#skippedBytes += bytes;
    return data.subarray(bytes);
  }
}
