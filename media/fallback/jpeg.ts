/** The structure of JPEG files (ITU-T T.81, annex B), as far as it distinguishes complete pictures from broken ones. */
import { PictureError } from './errors.ts';

/** What a JPEG says about itself, and how long it is: what follows belongs to something else. */
export interface JpegInfo {
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
}

/** The result of {@link scanJpeg}. */
export type JpegScan =
  | ({ readonly kind: 'complete' } & JpegInfo)
  /** Valid so far; it continues beyond the given bytes. */
  | { readonly kind: 'partial' }
  | { readonly kind: 'invalid'; readonly reason: string };

const marker = { SOI: 0xd8, EOI: 0xd9, SOS: 0xda, DQT: 0xdb, TEM: 0x01 } as const;
/** Baseline, extended sequential and progressive DCT with Huffman coding: what browsers show. */
const shownFrames: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
/** Lossless, hierarchical and arithmetic coding. */
const otherFrames: ReadonlySet<number> = new Set([
  0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf,
]);
const maxSide = 16_384;

/** Walks from marker to marker from the first byte on. Never throws, whatever the bytes are. */
export function scanJpeg(data: Buffer): JpegScan {
  if (data.length < 2) return startsLikeJpeg(data) ? partial : invalid('it does not begin as a JPEG');
  if (data[0] !== 0xff || data[1] !== marker.SOI) return invalid('it does not begin as a JPEG');
  let at = 2;
  let size: { width: number; height: number } | null = null;
  let tables = false;
  let scans = 0;
  while (at + 1 < data.length) {
    if (data[at] !== 0xff) return invalid('a marker is missing');
    const code = data[at + 1] ?? 0;
    if (code === 0xff) {
      at += 1; // fill byte
      continue;
    }
    if (code === marker.EOI) {
      if (size === null || scans === 0) return invalid('it ends without a picture');
      return { kind: 'complete', bytes: at + 2, ...size };
    }
    if (code === marker.SOI || code === 0 || isBare(code)) return invalid('a marker is out of place');
    if (at + 4 > data.length) return partial;
    const length = data.readUInt16BE(at + 2);
    if (length < 2) return invalid('a segment has no length');
    const end = at + 2 + length;
    if (otherFrames.has(code)) return invalid('it is coded in a way that browsers do not show');
    if (end > data.length) return partial;
    if (code === marker.DQT) tables = true;
    if (shownFrames.has(code)) {
      if (size !== null) return invalid('it has two frames');
      const found = frameSize(data.subarray(at + 4, end));
      if (typeof found === 'string') return invalid(found);
      size = found;
    }
    at = end;
    if (code !== marker.SOS) continue;
    if (size === null || !tables) return invalid('its picture begins without what describes it');
    scans += 1;
    at = endOfScan(data, at);
  }
  return partial;
}

/** Reads a buffer that must be exactly one JPEG. Throws PictureError JPEG_INVALID. */
export function inspectJpeg(data: Buffer): JpegInfo {
  const scan = scanJpeg(data);
  if (scan.kind === 'invalid') throw new PictureError('JPEG_INVALID', `not a JPEG: ${scan.reason}`);
  if (scan.kind === 'partial') throw new PictureError('JPEG_INVALID', 'not a JPEG: it is cut off');
  return { bytes: scan.bytes, width: scan.width, height: scan.height };
}

const partial = { kind: 'partial' } as const;

function invalid(reason: string): JpegScan {
  return { kind: 'invalid', reason };
}

function startsLikeJpeg(data: Buffer): boolean {
  return data.length === 0 || data[0] === 0xff;
}

/** Markers without a segment. */
function isBare(code: number): boolean {
  return code === marker.TEM || isRestart(code);
}

function isRestart(code: number): boolean {
  return code >= 0xd0 && code <= 0xd7;
}

/** Size from a frame header (T.81, B.2.2), or what is wrong with it. */
function frameSize(segment: Buffer): { width: number; height: number } | string {
  if (segment.length < 6) return 'its frame header is too short';
  const height = segment.readUInt16BE(1);
  const width = segment.readUInt16BE(3);
  const components = segment.readUInt8(5);
  if (segment.readUInt8(0) !== 8) return 'its samples are not of 8 bits';
  if (components !== 1 && components !== 3 && components !== 4) return `it has ${components} components`;
  if (segment.length !== 6 + 3 * components) return 'its frame header has the wrong length';
  if (width === 0 || height === 0) return 'it has no size';
  if (width > maxSide || height > maxSide) return `it is larger than ${maxSide} pixels`;
  return { width, height };
}

/** Where entropy-coded data ends: at the next marker that is neither a stuffed byte nor a restart. */
function endOfScan(data: Buffer, from: number): number {
  let at = data.indexOf(0xff, from);
  while (at >= 0 && at + 1 < data.length) {
    const code = data[at + 1] ?? 0;
    if (code !== 0 && code !== 0xff && !isRestart(code)) return at;
    at = data.indexOf(0xff, code === 0xff ? at + 1 : at + 2);
  }
  return data.length;
}
