const MAX_NAL_BYTES = 8 * 1024 * 1024;
/** Each fragment is an object of its own: tiny ones would take many times the memory of their content. */
const MAX_FRAGMENTS = 16_384;

/** Puts the fragments of one NAL unit together. */
export class NalCollector {
  #fragments: Buffer[] = [];
  #bytes = 0;

  /** A NAL unit begins with this header. */
  begin(header: Buffer): void {
    this.drop();
    this.#fragments.push(header);
  }

  /** A part of the NAL unit that has begun; gives it once it is whole. Parts of one whose beginning is missing give nothing. */
  add(part: Buffer, isLast: boolean): Buffer | null {
    if (this.#fragments.length === 0) return null;
    this.#bytes += part.length;
    if (this.#bytes > MAX_NAL_BYTES || this.#fragments.length > MAX_FRAGMENTS) {
      this.drop();
      return null;
    }
    this.#fragments.push(part);
    if (!isLast) return null;
    const nal = Buffer.concat(this.#fragments);
    this.drop();
    return nal;
  }

  /** What was collected is of no use. */
  drop(): void {
    this.#fragments = [];
    this.#bytes = 0;
  }
}
