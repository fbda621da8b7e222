/** Sequence parameter sets of H.265: profile, level and picture size (ITU-T H.265, sections 7.3.2.2 and 7.3.3). */
import { BitReader, withoutEmulationPrevention } from './bit-reader.ts';

/** What an SPS says. Sizes in pixels. */
export interface H265SpsInfo {
  /** general_profile_idc: 1 is Main, 2 Main 10. */
  readonly profileId: number;
  /** 0 Main tier, 1 High tier. */
  readonly tierFlag: number;
  /** general_level_idc: 30 times the level. */
  readonly levelId: number;
  /** general_profile_compatibility_flags, the first flag in the most significant bit. */
  readonly compatibility: number;
  /** The six bytes of constraint flags, as hex digits. */
  readonly constraints: string;
  readonly width: number;
  readonly height: number;
}

const NAL_HEADER_BYTES = 2;
const MAX_SUB_LAYERS = 8;
const SUB_LAYER_PROFILE_BITS = 88;
const SUB_LAYER_LEVEL_BITS = 8;

/** Reads an SPS NAL unit (with its header); null if it is malformed. */
export function parseH265Sps(nal: Buffer): H265SpsInfo | null {
  const reader = new BitReader(withoutEmulationPrevention(nal.subarray(NAL_HEADER_BYTES)));
  try {
    return readSps(reader);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function readSps(reader: BitReader): H265SpsInfo | null {
  reader.bits(4);
  const subLayers = reader.bits(3);
  reader.bits(1);
  const profile = readProfile(reader, subLayers);
  reader.golomb();
  const chromaFormat = reader.golomb();
  const separatePlanes = chromaFormat === 3 ? reader.bits(1) : 0;
  const [codedWidth, codedHeight] = [reader.golomb(), reader.golomb()];
  const crop = reader.bits(1)
    ? [reader.golomb(), reader.golomb(), reader.golomb(), reader.golomb()]
    : [0, 0, 0, 0];
  const chroma = separatePlanes ? 0 : chromaFormat;
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = chroma === 1 ? 2 : 1;
  const width = codedWidth - cropX * ((crop[0] ?? 0) + (crop[1] ?? 0));
  const height = codedHeight - cropY * ((crop[2] ?? 0) + (crop[3] ?? 0));
  if (width <= 0 || height <= 0 || width > 16384 || height > 16384) return null;
  return { ...profile, width, height };
}

/** profile_tier_level(1, subLayers). */
function readProfile(reader: BitReader, subLayers: number) {
  reader.bits(2);
  const tierFlag = reader.bits(1);
  const profileId = reader.bits(5);
  const compatibility = reader.bits(32);
  const constraints = Array.from({ length: 6 }, () => reader.bits(8));
  const levelId = reader.bits(8);
  const present = Array.from({ length: subLayers }, () => [reader.bits(1), reader.bits(1)] as const);
  if (subLayers > 0) reader.bits(2 * (MAX_SUB_LAYERS - subLayers));
  for (const [profile, level] of present)
    reader.bits(profile * SUB_LAYER_PROFILE_BITS + level * SUB_LAYER_LEVEL_BITS);
  return {
    profileId,
    tierFlag,
    levelId,
    compatibility,
    constraints: Buffer.from(constraints).toString('hex'),
  };
}

/** As ISO/IEC 14496-15, annex E, writes it: `hvc1.1.6.L93.B0`. */
export function h265CodecString(info: H265SpsInfo): string {
  const { profileId, compatibility, tierFlag, levelId, constraints } = info;
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = reversed * 2 + ((compatibility >>> bit) & 1);
  const bytes = (constraints.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
  while (bytes.at(-1) === 0) bytes.pop();
  const flags = bytes.map((byte) => byte.toString(16).toUpperCase());
  const level = `${tierFlag === 1 ? 'H' : 'L'}${levelId}`;
  return ['hvc1', profileId, reversed.toString(16).toUpperCase(), level, ...flags].join('.');
}
