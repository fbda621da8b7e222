/**
 * H.264 whose samples are known without decoding it: every macroblock is I_PCM (ITU-T H.264, 7.3.5), which carries its samples
 * as they are, and the deblocking filter is off. Whatever decodes it has no choice.
 */

/** A stream to make. */
export interface KnownH264 {
  readonly width: number;
  readonly height: number;
  /** 0: grey, 1: 4:2:0, 2: 4:2:2, 3: 4:4:4. */
  readonly chroma: 0 | 1 | 2 | 3;
  readonly bits: 8 | 10;
  /** Null: the stream does not say, which by the standard means limited (E.2.1). */
  readonly range: 'full' | 'limited' | null;
}

/** Sides of a chroma macroblock by chroma format. */
const chromaBlock = [
  [0, 0],
  [8, 8],
  [8, 16],
  [16, 16],
] as const;

/** An access unit with parameter sets. `frame` is planar, two bytes a sample (little endian) above 8 bits. */
export function knownAccessUnit(stream: KnownH264, frame: Buffer, idrId: number): Buffer {
  const units = [
    unit(0x67, parameterSet(stream)),
    unit(0x68, pictureParameterSet()),
    unit(0x65, slice(stream, frame, idrId)),
  ];
  return Buffer.concat(units);
}

/** Bytes of one frame. */
export function knownFrameBytes({ width, height, chroma, bits }: KnownH264): number {
  const [w, h] = chromaBlock[chroma];
  return ((width * height * (256 + 2 * w * h)) / 256) * (bits > 8 ? 2 : 1);
}

function parameterSet({ width, height, chroma, bits, range }: KnownH264): BitWriter {
  const out = new BitWriter();
  const profile = chroma === 3 ? 244 : chroma === 2 ? 122 : bits > 8 ? 110 : 100;
  out.bits(profile, 8).bits(0, 8).bits(51, 8).ue(0).ue(chroma);
  if (chroma === 3) out.bits(0, 1);
  out.ue(bits - 8).ue(bits - 8);
  // No transform bypass, no scaling matrix, 4 bits of frame number, picture order as decoded, one reference frame, no gaps.
  out.bits(0, 2).ue(0).ue(2).ue(1).bits(0, 1);
  out.ue(width / 16 - 1).ue(height / 16 - 1);
  // Frames only, direct 8x8, no cropping.
  out.bits(1, 1).bits(1, 1).bits(0, 1);
  out.bits(1, 1);
  if (range === null) out.bits(0, 4);
  else {
    // Video signal: format unspecified, the range, and BT.709.
    out.bits(0, 2).bits(1, 1).bits(5, 3);
    out
      .bits(range === 'full' ? 1 : 0, 1)
      .bits(1, 1)
      .bits(1, 8)
      .bits(1, 8)
      .bits(1, 8)
      .bits(0, 1);
  }
  // Timing: 30 frames a second, fixed. Nothing else.
  out.bits(1, 1).bits(1, 32).bits(60, 32).bits(1, 1).bits(0, 4);
  return out.trailing();
}

function pictureParameterSet(): BitWriter {
  const out = new BitWriter();
  // CAVLC, one slice group, no weighting, quantisers at their defaults, deblocking is controlled by the slice.
  out.ue(0).ue(0).bits(0, 2).ue(0).ue(0).ue(0).bits(0, 3).ue(0).ue(0).ue(0).bits(0b100, 3);
  return out.trailing();
}

function slice({ width, height, chroma, bits }: KnownH264, frame: Buffer, idrId: number): BitWriter {
  const out = new BitWriter();
  // First macroblock, an I slice, parameter set 0, frame number 0, which IDR, no long-term references, quantiser, no deblocking.
  out
    .ue(0)
    .ue(7)
    .ue(0)
    .bits(0, 4)
    .ue(idrId % 2)
    .bits(0, 2)
    .ue(0)
    .ue(1);
  const [blockWidth, blockHeight] = chromaBlock[chroma];
  const size = bits > 8 ? 2 : 1;
  const chromaWidth = (width / 16) * blockWidth;
  const chromaBytes = chromaWidth * (height / 16) * blockHeight * size;
  const put = (plane: number, stride: number, x: number, y: number, w: number, h: number) => {
    for (let row = y; row < y + h; row += 1) {
      const at = plane + (row * stride + x) * size;
      if (size === 1) out.bytes(frame.subarray(at, at + w));
      else for (let i = 0; i < w; i += 1) out.bits(frame.readUInt16LE(at + 2 * i), bits);
    }
  };
  for (let mbY = 0; mbY < height / 16; mbY += 1) {
    for (let mbX = 0; mbX < width / 16; mbX += 1) {
      out.ue(25).align();
      put(0, width, 16 * mbX, 16 * mbY, 16, 16);
      for (const plane of [0, 1]) {
        const begin = width * height * size + plane * chromaBytes;
        put(begin, chromaWidth, blockWidth * mbX, blockHeight * mbY, blockWidth, blockHeight);
      }
    }
  }
  return out.trailing();
}

/** A NAL unit of a byte stream, with emulation prevention (7.4.1.1). */
function unit(header: number, payload: BitWriter): Buffer {
  const out: number[] = [0, 0, 0, 1, header];
  let zeros = 0;
  for (const byte of payload.written) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out.push(byte);
  }
  return Buffer.from(out);
}

class BitWriter {
  readonly written: number[] = [];
  #current = 0;
  #used = 0;

  bits(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit -= 1) {
      this.#current = (this.#current << 1) | (Math.floor(value / 2 ** bit) & 1);
      this.#used += 1;
      if (this.#used < 8) continue;
      this.written.push(this.#current);
      this.#current = 0;
      this.#used = 0;
    }
    return this;
  }

  /** Exp-Golomb (9.1). */
  ue(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.bits(0, length).bits(value + 1, length + 1);
  }

  align(): this {
    while (this.#used > 0) this.bits(0, 1);
    return this;
  }

  bytes(values: Buffer): this {
    if (this.#used > 0) for (const value of values) this.bits(value, 8);
    else this.written.push(...values);
    return this;
  }

  trailing(): this {
    return this.bits(1, 1).align();
  }
}
