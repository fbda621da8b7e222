/** One reader of a tap: RTP payloads become a byte stream. */
import type { Writable } from 'node:stream';
import type { PacketOutlet } from '../datapath/datapath.ts';
import { H264Depacketizer } from '../rtp/h264-depacketizer.ts';

const startCode = Buffer.from([0, 0, 0, 1]);
/** Ends a picture: without it a reader knows of the end only with the next picture's beginning, a frame later. */
const accessUnitDelimiter = Buffer.from([0, 0, 0, 1, 0x09, 0xf0]);
/** A reader that lets this much pile up gets nothing more before it has read it; then it goes on at a keyframe. */
const maxWaitingBytes = 1024 * 1024;

export class TapReader implements PacketOutlet {
  readonly #stream: Writable;
  readonly #depacketizer = new H264Depacketizer();
  #next: number | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  get blocked(): boolean {
    return this.#stream.writableLength > maxWaitingBytes;
  }

  sendRtp(head: { readonly marker: boolean }, sequence: number, payload: Buffer): void {
    // What comes late cannot be put back into a stream; the decoder gets over the hole.
    if (this.#stream.destroyed || (this.#next !== null && sequence < this.#next)) return;
    if (this.#next !== null && sequence !== this.#next) this.#depacketizer.lost();
    this.#next = sequence + 1;
    const parts = this.#depacketizer.push(payload).flatMap((nal) => [startCode, nal]);
    if (head.marker) parts.push(accessUnitDelimiter);
    if (parts.length > 0) this.#stream.write(Buffer.concat(parts));
  }
}
