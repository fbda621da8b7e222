/** Sequence parameter sets: profile, level and picture size (ITU-T H.264, sections 7.3.2.1.1 and 7.4.2.1.1). */

import { BitReader, withoutEmulationPrevention } from './bit-reader.ts';

/** What an SPS says. Sizes in pixels. */
export interface SpsInfo {
  /** Six hex digits: profile_idc, constraint flags, level_idc, as in SDP's profile-level-id. */
  readonly profileLevelId: string;
  readonly width: number;
  readonly height: number;
}

const PROFILES_WITH_CHROMA_FORMAT = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Reads an SPS NAL unit (with its header byte); null if it is malformed. */
export function parseSps(nal: Buffer): SpsInfo | null {
  if (nal.length < 5) return null;
  const reader = new BitReader(withoutEmulationPrevention(nal.subarray(1)));
  try {
    return readSps(nal, reader);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function readSps(nal: Buffer, reader: BitReader): SpsInfo | null {
  const profile = reader.bits(8);
  reader.bits(16);
  reader.golomb();
  let chromaFormat = 1;
  let separatePlanes = 0;
  if (PROFILES_WITH_CHROMA_FORMAT.has(profile)) {
    chromaFormat = reader.golomb();
    if (chromaFormat === 3) separatePlanes = reader.bits(1);
    reader.golomb();
    reader.golomb();
    reader.bits(1);
    if (reader.bits(1)) skipScalingLists(reader, chromaFormat === 3 ? 12 : 8);
  }
  skipPictureOrder(reader);
  reader.golomb();
  reader.bits(1);
  const widthInMacroblocks = reader.golomb() + 1;
  const heightInMapUnits = reader.golomb() + 1;
  const framesOnly = reader.bits(1);
  if (!framesOnly) reader.bits(1);
  reader.bits(1);
  const crop = reader.bits(1)
    ? [reader.golomb(), reader.golomb(), reader.golomb(), reader.golomb()]
    : [0, 0, 0, 0];
  const chroma = separatePlanes ? 0 : chromaFormat;
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = (chroma === 1 ? 2 : 1) * (2 - framesOnly);
  const width = widthInMacroblocks * 16 - cropX * ((crop[0] ?? 0) + (crop[1] ?? 0));
  const height = heightInMapUnits * 16 * (2 - framesOnly) - cropY * ((crop[2] ?? 0) + (crop[3] ?? 0));
  if (width <= 0 || height <= 0 || width > 16384 || height > 16384) return null;
  return { profileLevelId: nal.toString('hex', 1, 4), width, height };
}

function skipPictureOrder(reader: BitReader): void {
  reader.golomb();
  const orderType = reader.golomb();
  if (orderType === 0) {
    reader.golomb();
  } else if (orderType === 1) {
    reader.bits(1);
    reader.golomb();
    reader.golomb();
    const cycle = reader.golomb();
    if (cycle > 255) throw new RangeError('order count cycle');
    for (let i = 0; i < cycle; i++) reader.golomb();
  }
}

function skipScalingLists(reader: BitReader, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!reader.bits(1)) continue;
    const size = list < 6 ? 16 : 64;
    let last = 8;
    let next = 8;
    for (let i = 0; i < size; i++) {
      if (next !== 0) next = (last + signed(reader.golomb()) + 256) % 256;
      last = next === 0 ? last : next;
    }
  }
}

function signed(code: number): number {
  return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
}
