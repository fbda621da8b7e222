/** H.265 inside RTP (RFC 7798, one stream, no decoding order numbers): what a packet carries, without touching it. */
import type { PayloadInfo } from './payload-info.ts';

/** Types of NAL units (ITU-T H.265, table 7-1) and RTP packets (RFC 7798, section 4.4). */
export const H265Nal = {
  FIRST_IRAP: 16,
  IDR_W_RADL: 19,
  LAST_IRAP: 21,
  LAST_PICTURE: 31,
  VPS: 32,
  SPS: 33,
  PPS: 34,
  AUD: 35,
  AP: 48,
  FU: 49,
} as const;

const NAL_HEADER_BYTES = 2;
const FU_HEADER_BYTES = 3;
const MAX_NALS_PER_PACKET = 64;
const START = 0x80;
const END = 0x40;
const TYPE_BITS = 0x3f;
/** Type of what is too short to have one; no NAL unit has it. */
const NO_TYPE = 63;

/** Type of a NAL unit or packet, from its header of two bytes. */
export function h265Type(nal: Buffer): number {
  return nal.length < NAL_HEADER_BYTES ? NO_TYPE : (nal.readUInt8(0) >> 1) & TYPE_BITS;
}

/** True for a NAL unit as an encoder makes it; larger types are packets of RTP. */
export function isWholeH265(type: number): boolean {
  return type < H265Nal.AP;
}

/** Reads a payload; malformed ones give "nothing of interest". */
export function inspectH265(payload: Buffer): PayloadInfo {
  const type = h265Type(payload);
  if (type === H265Nal.FU) {
    const header = payload[2] ?? NO_TYPE;
    const inner = header & TYPE_BITS;
    const keyframe = isIrap(inner) && (header & START) !== 0;
    return { picture: isPicture(inner), keyframe, vps: null, sps: null, pps: null };
  }
  if (type === H265Nal.AP) return inspectNals(splitAp(payload) ?? []);
  return inspectNals(isWholeH265(type) ? [payload] : []);
}

function inspectNals(nals: readonly Buffer[]): PayloadInfo {
  const types = nals.map(h265Type);
  const last = (wanted: number): Buffer | null => nals[types.lastIndexOf(wanted)] ?? null;
  return {
    picture: types.some(isPicture),
    keyframe: types.some(isIrap),
    vps: last(H265Nal.VPS),
    sps: last(H265Nal.SPS),
    pps: last(H265Nal.PPS),
  };
}

function isPicture(type: number): boolean {
  return type <= H265Nal.LAST_PICTURE;
}

/** Decoding can begin with a picture of these types. */
function isIrap(type: number): boolean {
  return type >= H265Nal.FIRST_IRAP && type <= H265Nal.LAST_IRAP;
}

/** The NAL units of an aggregation packet as views; null if it is malformed, as one within another is (RFC 7798, section 4.4.2). */
export function splitAp(payload: Buffer): Buffer[] | null {
  const nals: Buffer[] = [];
  let offset = NAL_HEADER_BYTES;
  while (offset < payload.length) {
    if (offset + 2 > payload.length || nals.length >= MAX_NALS_PER_PACKET) return null;
    const length = payload.readUInt16BE(offset);
    offset += 2;
    if (length < NAL_HEADER_BYTES || offset + length > payload.length) return null;
    const nal = payload.subarray(offset, offset + length);
    if (!isWholeH265(h265Type(nal))) return null;
    nals.push(nal);
    offset += length;
  }
  return nals;
}

/** One aggregation packet of several whole NAL units. Its layer and temporal id are the lowest of theirs. */
export function buildAp(nals: readonly Buffer[]): Buffer {
  let layer = 0x3f;
  let temporal = 7;
  const parts: Buffer[] = [];
  for (const nal of nals) {
    const [first, second] = [nal.readUInt8(0), nal.readUInt8(1)];
    layer = Math.min(layer, ((first & 1) << 5) | (second >> 3));
    temporal = Math.min(temporal, second & 7);
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(nal.length);
    parts.push(length, nal);
  }
  return Buffer.concat([Buffer.from([(H265Nal.AP << 1) | (layer >> 5), (layer << 3) | temporal]), ...parts]);
}

/**
 * Splits a payload that exceeds `maxBytes` (> 4) into several, to be sent in this order with the same timestamp. A
 * payload that fits comes back alone; one that is too large and malformed gives nothing. NAL units are never altered.
 */
export function fitH265(payload: Buffer, maxBytes: number): Buffer[] {
  if (payload.length <= maxBytes) return [payload];
  const type = h265Type(payload);
  if (type === H265Nal.AP) return (splitAp(payload) ?? []).flatMap((nal) => fitNal(nal, maxBytes));
  if (type !== H265Nal.FU) return isWholeH265(type) ? fitNal(payload, maxBytes) : [];
  const header = payload.readUInt8(2);
  const body = payload.subarray(FU_HEADER_BYTES);
  return fragment(payload, header & TYPE_BITS, header & (START | END), body, maxBytes);
}

function fitNal(nal: Buffer, maxBytes: number): Buffer[] {
  if (nal.length <= maxBytes) return [nal];
  return fragment(nal, h265Type(nal), START | END, nal.subarray(NAL_HEADER_BYTES), maxBytes);
}

/** `head` begins with the header of the NAL unit or packet; `edges` says whether the body begins and ends a NAL unit. */
function fragment(head: Buffer, type: number, edges: number, body: Buffer, maxBytes: number): Buffer[] {
  const room = maxBytes - FU_HEADER_BYTES;
  const indicator = [(head.readUInt8(0) & 0x81) | (H265Nal.FU << 1), head.readUInt8(1)];
  const packets: Buffer[] = [];
  for (let offset = 0; offset < body.length; offset += room) {
    const first = offset === 0 ? edges & START : 0;
    const last = offset + room >= body.length ? edges & END : 0;
    packets.push(
      Buffer.concat([Buffer.from([...indicator, first | last | type]), body.subarray(offset, offset + room)]),
    );
  }
  return packets;
}
