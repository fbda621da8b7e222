import { standardHuffmanTables } from '../../fallback/jpeg-tables.ts';

/**
 * JPEGs whose samples are known without decoding them: every block of 8 × 8 is flat, and its one coefficient a multiple of 8 that
 * dequantises to exactly the value. An inverse transform of any accuracy has no choice.
 */

/** Blocks of the components of one minimal coded unit: horizontal × vertical of the luma, one of each chroma. */
export interface KnownJpeg {
  readonly width: number;
  readonly height: number;
  readonly luma: readonly [horizontal: number, vertical: number];
  readonly grey?: boolean;
  /** False: without Huffman tables, as many USB cameras send them. */
  readonly tables?: boolean;
}

/** ITU-T T.81, K.3.3.1: how many codes of each length, and their values. */
const dcLengths = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const dcValues = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const chromaDcLengths = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
/** Planes of sizes that follow from the luma's sampling, each a whole number of blocks. */
export interface KnownPlanes {
  readonly planes: readonly Buffer[];
  readonly jpeg: Buffer;
}

/** A picture of flat blocks; `valueAt(plane, block)` says which value each has. */
export function knownJpeg(
  picture: KnownJpeg,
  valueAt: (plane: number, block: number) => number,
): KnownPlanes {
  const [h, v] = picture.luma;
  const columns = picture.width / (8 * h);
  const rows = picture.height / (8 * v);
  const shapes =
    picture.grey === true
      ? [[h, v]]
      : [
          [h, v],
          [1, 1],
          [1, 1],
        ];
  const planes = shapes.map(([bh = 1, bv = 1]) => Buffer.alloc(columns * bh * 8 * rows * bv * 8));
  const bits = new EntropyWriter();
  const before = shapes.map(() => 0);
  const scan = (row: number, column: number) => {
    shapes.forEach(([bh = 1, bv = 1], plane) => {
      for (let y = 0; y < bv; y += 1) {
        for (let x = 0; x < bh; x += 1) {
          const blockX = column * bh + x;
          const blockY = row * bv + y;
          const wide = columns * bh;
          const value = valueAt(plane, blockY * wide + blockX) & 0xff;
          fill(planes[plane] ?? Buffer.alloc(0), wide * 8, blockX * 8, blockY * 8, value);
          // Quantiser 8: the coefficient is eight times the distance from 128, divided by it.
          const level = value - 128;
          bits.dc(level - (before[plane] ?? 0), plane > 0);
          before[plane] = level;
        }
      }
    });
  };
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) scan(row, column);
  return { planes, jpeg: Buffer.concat([header(picture), bits.end(), Buffer.from([0xff, 0xd9])]) };
}

function fill(plane: Buffer, stride: number, x: number, y: number, value: number): void {
  for (let row = 0; row < 8; row += 1) plane.fill(value, (y + row) * stride + x, (y + row) * stride + x + 8);
}

function header({ width, height, luma: [h, v], grey = false, tables = true }: KnownJpeg): Buffer {
  const components = grey
    ? [[1, 1, 1]]
    : [
        [1, h, v],
        [2, 1, 1],
        [3, 1, 1],
      ];
  const quantisers = Buffer.alloc(64, 8);
  const frame = Buffer.from([
    ...[8, height >> 8, height & 255, width >> 8, width & 255, components.length],
    ...components.flatMap(([id = 0, bh = 1, bv = 1]) => [id, (bh << 4) | bv, 0]),
  ]);
  const scan = Buffer.from([
    components.length,
    ...components.flatMap(([id = 0]) => [id, id === 1 ? 0x00 : 0x11]),
    ...[0, 63, 0],
  ]);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, Buffer.concat([Buffer.from([0]), quantisers])),
    segment(0xc0, frame),
    tables ? standardHuffmanTables : Buffer.alloc(0),
    segment(0xda, scan),
  ]);
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

interface Code {
  readonly code: number;
  readonly length: number;
}

/** Codes of a table in order of their values' places (T.81, C.2). */
function codesOf(lengths: readonly number[], values: readonly number[]): ReadonlyMap<number, Code> {
  const codes = new Map<number, Code>();
  let code = 0;
  let at = 0;
  lengths.forEach((count, index) => {
    for (let i = 0; i < count; i += 1) {
      codes.set(values[at] ?? 0, { code, length: index + 1 });
      code += 1;
      at += 1;
    }
    code *= 2;
  });
  return codes;
}

const dcCodes = [codesOf(dcLengths, dcValues), codesOf(chromaDcLengths, dcValues)] as const;
/** "End of block" in the standard tables of the alternating coefficients: 1010 for luma, 00 for chroma. */
const endOfBlock = [
  { code: 0b1010, length: 4 },
  { code: 0b00, length: 2 },
] as const;

class EntropyWriter {
  readonly #out: number[] = [];
  #current = 0;
  #used = 0;

  /** A block of which only the mean differs from the one before. */
  dc(difference: number, chroma: boolean): void {
    const table = chroma ? 1 : 0;
    const size = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
    const code = dcCodes[table].get(size);
    if (code === undefined) throw new RangeError(`no code for ${difference}`);
    this.#bits(code);
    this.#bits({ code: difference < 0 ? difference + 2 ** size - 1 : difference, length: size });
    this.#bits(endOfBlock[table]);
  }

  end(): Buffer {
    while (this.#used > 0) this.#bits({ code: 1, length: 1 });
    return Buffer.from(this.#out);
  }

  #bits({ code, length }: Code): void {
    for (let bit = length - 1; bit >= 0; bit -= 1) {
      this.#current = (this.#current << 1) | ((code >> bit) & 1);
      this.#used += 1;
      if (this.#used < 8) continue;
      this.#out.push(this.#current);
      if (this.#current === 0xff) this.#out.push(0);
      this.#current = 0;
      this.#used = 0;
    }
  }
}
