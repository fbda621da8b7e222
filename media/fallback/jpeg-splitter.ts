import { ByteQueue } from './byte-queue.ts';
import { scanJpeg } from './jpeg.ts';

const start = Buffer.from([0xff, 0xd8, 0xff]);
const end = Buffer.from([0xff, 0xd9]);

/** Cuts a stream of concatenated JPEGs, as ffmpeg's image2pipe and mjpeg muxers write it, into pictures. */
export class JpegSplitter {
  readonly #maxBytes: number;
  readonly #rest = new ByteQueue();
  /** The waiting bytes begin a picture, and this much of it contains no end. */
  #endless = 0;
  #skippedBytes = 0;

  /** @param maxBytes a picture that is longer is dropped, and the next one searched for */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that belonged to no picture. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** The pictures that are complete with this chunk, in order. Never throws. */
  push(chunk: Buffer): Buffer[] {
    this.#rest.append(chunk);
    if (this.#isPartial()) return [];
    const pictures: Buffer[] = [];
    for (;;) {
      this.#toStart();
      const scan = scanJpeg(this.#rest.bytes);
      if (scan.kind === 'complete') {
        pictures.push(Buffer.from(this.#rest.bytes.subarray(0, scan.bytes)));
        this.#rest.drop(scan.bytes);
      } else if (scan.kind === 'invalid' || this.#rest.length > this.#maxBytes) {
        if (this.#rest.length < start.length) break;
        this.#skip(start.length);
      } else {
        break;
      }
    }
    this.#endless = this.#rest.length;
    return pictures;
  }

  /** A picture that has begun cannot end before its end marker: it is not searched again for every chunk. */
  #isPartial(): boolean {
    if (this.#endless < start.length || this.#rest.length > this.#maxBytes) return false;
    if (this.#rest.bytes.indexOf(end, this.#endless - 1) >= 0) return false;
    this.#endless = this.#rest.length;
    return true;
  }

  /** Drops bytes before the next start of a picture; a start that may continue in the next chunk is kept. */
  #toStart(): void {
    const data = this.#rest.bytes;
    const at = data.indexOf(start);
    if (at >= 0) {
      this.#skip(at);
      return;
    }
    for (let kept = Math.min(start.length - 1, data.length); kept > 0; kept -= 1) {
      const from = data.length - kept;
      if (!data.subarray(from).equals(start.subarray(0, kept))) continue;
      this.#skip(from);
      return;
    }
    this.#skip(data.length);
  }

  #skip(bytes: number): void {
    this.#skippedBytes += bytes;
    this.#rest.drop(bytes);
  }
}
