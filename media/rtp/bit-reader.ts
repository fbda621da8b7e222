/** What parameter sets of H.264 and H.265 are read with. */

/** The bytes of a NAL unit as its syntax counts them: an encoder puts a 3 between zeros that would look like a start code. */
export function withoutEmulationPrevention(bytes: Buffer): Buffer {
  const clean = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    clean[length++] = byte;
  }
  return clean.subarray(0, length);
}

/** Reads bits from the most significant on; throws RangeError behind the end. */
export class BitReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#position >> 3];
      if (byte === undefined) throw new RangeError('parameter set too short');
      value = value * 2 + ((byte >> (7 - (this.#position & 7))) & 1);
      this.#position++;
    }
    return value;
  }

  /** Unsigned Exp-Golomb code (ITU-T H.264, section 9.1; H.265, section 9.2). */
  golomb(): number {
    let zeros = 0;
    while (this.bits(1) === 0) {
      if (++zeros > 31) throw new RangeError('code too long');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }
}
