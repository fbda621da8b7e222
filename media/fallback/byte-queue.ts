const LEAST = 4096;

/** Bytes that arrive in pieces and are read as a whole: each is copied only a few times, however small the pieces. */
export class ByteQueue {
  #buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** The waiting bytes, as a view that is valid until the next call of `append`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(chunk: Buffer): void {
    const needed = this.length + chunk.length;
    if (this.#end + chunk.length > this.#buffer.length) {
      const waiting = this.bytes;
      // If most of the room is in front, moving the bytes is enough.
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
