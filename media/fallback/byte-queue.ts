/** Bytes that arrive in pieces and are looked at as a whole: each is copied a few times at most, however small the pieces. */

const LEAST = 4096;

export class ByteQueue {
  #buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** What is waiting, as a view that is good until the next call of `append`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(chunk: Buffer): void {
    const needed = this.length + chunk.length;
    if (this.#end + chunk.length > this.#buffer.length) {
      const waiting = this.bytes;
      // Where most of the room is in front, moving up is enough.
      if (needed * 2 > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(Math.max(LEAST, needed * 2));
      waiting.copy(this.#buffer);
      this.#start = 0;
      this.#end = waiting.length;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  drop(count: number): void {
    this.#start = Math.min(this.#end, this.#start + count);
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
  }
}
