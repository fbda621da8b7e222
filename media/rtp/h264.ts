/** H.264 inside RTP (RFC 6184, packetization modes 0 and 1): what a packet carries, without touching it. */

import type { PayloadInfo } from './payload-info.ts';

/** Types of NAL units and RTP packets (RFC 6184, table 1). */
export const NalType = {
  SLICE: 1,
  IDR: 5,
  SPS: 7,
  PPS: 8,
  AUD: 9,
  STAP_A: 24,
  FU_A: 28,
} as const;

const MAX_NALS_PER_PACKET = 64;

const NOTHING: PayloadInfo = { picture: false, keyframe: false, vps: null, sps: null, pps: null };

/** Reads a payload; malformed ones give "nothing of interest". */
export function inspectH264(payload: Buffer): PayloadInfo {
  const type = (payload[0] ?? 0) & 0x1f;
  if (type === NalType.FU_A) {
    const header = payload[1] ?? 0;
    const inner = header & 0x1f;
    return {
      picture: isPicture(inner),
      keyframe: inner === NalType.IDR && (header & 0x80) !== 0,
      vps: null,
      sps: null,
      pps: null,
    };
  }
  if (type !== NalType.STAP_A) return payload.length === 0 ? NOTHING : inspectNals([payload]);
  return inspectNals(splitStapA(payload) ?? []);
}

function inspectNals(nals: readonly Buffer[]): PayloadInfo {
  let picture = false;
  let keyframe = false;
  let sps: Buffer | null = null;
  let pps: Buffer | null = null;
  for (const nal of nals) {
    const type = nalType(nal);
    if (isPicture(type)) picture = true;
    if (type === NalType.IDR) keyframe = true;
    if (type === NalType.SPS) sps = nal;
    if (type === NalType.PPS) pps = nal;
  }
  return { picture, keyframe, vps: null, sps, pps };
}

/** Type of a NAL unit, from its header byte. */
export function nalType(nal: Buffer): number {
  return (nal[0] ?? 0) & 0x1f;
}

function isPicture(type: number): boolean {
  return type >= NalType.SLICE && type <= NalType.IDR;
}

/**
 * True for a NAL unit as an encoder makes it; types 24 … 29 are packets of RTP, the others are not in use (RFC 6184, table 1).
 */
export function isWholeNal(type: number): boolean {
  return type >= 1 && type <= 23;
}

/**
 * The NAL units of an aggregation packet as views; null if it is malformed (RFC 6184, section 5.7.1). Nested packets count as
 * malformed: no reader of an aggregate may be led from one into the next.
 */
export function splitStapA(payload: Buffer): Buffer[] | null {
  const nals: Buffer[] = [];
  let offset = 1;
  while (offset < payload.length) {
    if (offset + 2 > payload.length || nals.length >= MAX_NALS_PER_PACKET) return null;
    const length = payload.readUInt16BE(offset);
    offset += 2;
    if (length === 0 || offset + length > payload.length) return null;
    const nal = payload.subarray(offset, offset + length);
    if (!isWholeNal(nalType(nal))) return null;
    nals.push(nal);
    offset += length;
  }
  return nals;
}

/** One aggregation packet of several whole NAL units. */
export function buildStapA(nals: readonly Buffer[]): Buffer {
  let importance = 0;
  const parts: Buffer[] = [];
  for (const nal of nals) {
    importance = Math.max(importance, (nal[0] ?? 0) & 0x60);
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(nal.length);
    parts.push(length, nal);
  }
  return Buffer.concat([Buffer.from([importance | NalType.STAP_A]), ...parts]);
}
