/**
 * The machine-readable strip across the top of the test picture: 32 cells of equal width, dark is 0, bright is 1,
 * most significant bit first. Cells 0–15: frame number modulo 65536. Cells 16–31: wall-clock milliseconds modulo 65536.
 */

/** The numbers in a strip. */
export interface StripReading {
  /** 0…65535, counted from the start of the pipeline. */
  readonly frame: number;
  /** Unix time in milliseconds modulo 65536 at which the frame was generated. */
  readonly clockMs: number;
}

/** A luma plane (or any plane of brightness). `stride` is the distance between two samples, `rowStride` between two rows. */
export interface LumaPlane {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly rowStride?: number;
  /** 1 for planar luma, 4 to read one channel of RGBA. Default 1. */
  readonly stride?: number;
}

const cells = 32;
/** Narrower cells cannot be distinguished after chroma subsampling and scaling. */
const minCellWidth = 4;
const dark = 16;
const bright = 235;
const modulus = 65_536;

/** Height of the strip in pixels for a picture of this height: enough for the encoder to keep the cells apart. */
export function stripHeight(pictureHeight: number): number {
  return Math.max(8, 2 * Math.round(pictureHeight / 36));
}

/**
 * An ffmpeg filter chain that generates the strip; one 32x1 picture is computed and enlarged, so that it costs almost nothing.
 * The clock is read once per frame (at the first cell) and kept; otherwise a bit could change while the cells are drawn.
 * `pace`: filters that hold frames back until they are due.
 */
export function stripFilter(width: number, height: number, fps: number, pace?: string): string {
  const bit = 'floor(if(lt(X,16),ld(0)/pow(2,15-X),ld(1)/pow(2,31-X)))';
  const luma = `if(eq(X,0),st(0,N));if(eq(X,0),st(1,floor(mod(time(0)*1000,${modulus}))));${dark}+${bright - dark}*mod(${bit},2)`;
  return [
    `color=c=black:s=${cells}x2:r=${fps}`,
    ...(pace === undefined ? [] : [pace]),
    'format=gray',
    // A colour source cannot be one row high; one row must be, as rows are computed by different threads.
    `crop=${cells}:1:0:0:exact=1`,
    `geq=lum='${luma}'`,
    `scale=${width}:${stripHeight(height)}:flags=neighbor`,
    'format=yuv420p',
  ].join(',');
}

/**
 * Reads the strip. Returns undefined if a cell is neither dark nor bright, or the picture is less than 128 pixels wide: there
 * is no strip.
 */
export function readStrip(plane: LumaPlane): StripReading | undefined {
  if (plane.width < cells * minCellWidth || plane.height < 1) return undefined;
  const stride = plane.stride ?? 1;
  const rowStride = plane.rowStride ?? plane.width * stride;
  const row = Math.min(Math.floor(stripHeight(plane.height) / 2), plane.height - 1);
  let frame = 0;
  let clockMs = 0;
  for (let cell = 0; cell < cells; cell += 1) {
    const level = cellLevel(plane.data, row * rowStride, stride, plane.width, cell);
    // Pictures converted to full range (0 and 255) also pass; a middle grey does not.
    if (level > 90 && level < 160) return undefined;
    const bit = level >= 160 ? 1 : 0;
    if (cell < 16) frame = frame * 2 + bit;
    else clockMs = clockMs * 2 + bit;
  }
  return { frame, clockMs };
}

/** Mean brightness of the middle half of a cell: its borders are smeared by the codec. */
function cellLevel(data: ArrayLike<number>, offset: number, stride: number, width: number, cell: number) {
  const first = Math.floor(((cell + 0.25) * width) / cells);
  const last = Math.max(first, Math.ceil(((cell + 0.75) * width) / cells) - 1);
  let sum = 0;
  for (let x = first; x <= last; x += 1) sum += data[offset + x * stride] ?? 0;
  return sum / (last - first + 1);
}

/** Age of a frame in milliseconds, from its strip and the reader's wall clock; right for ages below 32 s. */
export function stripAgeMs(reading: StripReading, nowMs: number): number {
  const difference = (Math.floor(nowMs) - reading.clockMs) % modulus;
  const wrapped = (difference + modulus) % modulus;
  return wrapped > modulus / 2 ? wrapped - modulus : wrapped;
}
