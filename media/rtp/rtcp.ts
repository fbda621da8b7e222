/** RTCP packets that an SFU reads (RFC 3550 section 6, RFC 3611 sections 4.4 and 4.5, RFC 4585 section 6, RFC 5104 section 4.3.1). */
import type { NtpTime } from './ntp.ts';

/** One block of a receiver or sender report. */
export interface ReportBlock {
  readonly ssrc: number;
  /** Share of the packets lost since the last report, 0 … 255/256. */
  readonly lossRatio: number;
  readonly lostTotal: number;
  readonly highestSequence: number;
  readonly jitter: number;
  /** Middle 32 bits of the last sender report's NTP time; 0 if there was none. */
  readonly lastReport: number;
  /** Delay since that report in 1/65536 s. */
  readonly delaySinceLastReport: number;
}

/** The clock of a receiver, which waits for a ReferenceEcho. */
export interface ReferenceTime {
  readonly ssrc: number;
  readonly ntp: NtpTime;
}

/** How long ago a receiver's time arrived: it subtracts this from what has passed, and has its round trip. */
export interface ReferenceEcho {
  readonly ssrc: number;
  /** Middle 32 bits of its time. */
  readonly lastReference: number;
  /** In 1/65536 s. */
  readonly delay: number;
}

/** A packet that was read. */
export type RtcpPacket =
  | {
      readonly kind: 'sender-report';
      readonly ssrc: number;
      readonly ntp: NtpTime;
      readonly rtpTimestamp: number;
      readonly packets: number;
      readonly octets: number;
      readonly reports: readonly ReportBlock[];
    }
  | { readonly kind: 'receiver-report'; readonly ssrc: number; readonly reports: readonly ReportBlock[] }
  | { readonly kind: 'nack'; readonly mediaSsrc: number; readonly lost: readonly number[] }
  | { readonly kind: 'picture-loss'; readonly mediaSsrc: number }
  | { readonly kind: 'full-intra-request'; readonly mediaSsrcs: readonly number[] }
  | { readonly kind: 'remb'; readonly bitrateBps: number; readonly ssrcs: readonly number[] }
  | { readonly kind: 'extended-report'; readonly references: readonly ReferenceTime[] }
  | { readonly kind: 'bye'; readonly ssrcs: readonly number[] }
  | { readonly kind: 'other'; readonly type: number };

/** Packet types (RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 3611 section 2). */
export const RtcpType = { SR: 200, RR: 201, SDES: 202, BYE: 203, RTPFB: 205, PSFB: 206, XR: 207 } as const;
/** Blocks of an extended report (RFC 3611, sections 4.4 and 4.5). */
export const ExtendedBlock = { reference: 4, echoes: 5 } as const;
/** More numbers than any receiver requests at once; a datagram of repetitions could name thousands. */
const MAX_LOST = 1024;
const REMB_IDENTIFIER = 0x52454d42;

/** Reads a compound packet. Stops at the first malformed part and returns what came before it; never throws. */
export function parseRtcp(compound: Buffer): RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  let offset = 0;
  while (offset + 4 <= compound.length) {
    if (compound.readUInt8(offset) >> 6 !== 2) break;
    const end = offset + 4 + compound.readUInt16BE(offset + 2) * 4;
    if (end > compound.length) break;
    const packet = parseOne(compound.subarray(offset, end));
    if (packet === null) break;
    packets.push(packet);
    offset = end;
  }
  return packets;
}

function parseOne(packet: Buffer): RtcpPacket | null {
  const count = packet.readUInt8(0) & 0x1f;
  const type = packet.readUInt8(1);
  switch (type) {
    case RtcpType.SR:
      return parseSenderReport(packet, count);
    case RtcpType.RR:
      if (packet.length < 8 + count * 24) return null;
      return {
        kind: 'receiver-report',
        ssrc: packet.readUInt32BE(4),
        reports: parseReports(packet, 8, count),
      };
    case RtcpType.BYE: {
      if (packet.length < 4 + count * 4) return null;
      return { kind: 'bye', ssrcs: Array.from({ length: count }, (_, i) => packet.readUInt32BE(4 + i * 4)) };
    }
    case RtcpType.RTPFB:
      if (packet.length < 12) return null;
      return count === 1 ? parseNack(packet) : { kind: 'other', type };
    case RtcpType.PSFB:
      return packet.length < 12 ? null : parsePayloadFeedback(packet, count);
    case RtcpType.XR:
      return packet.length < 8 ? null : parseExtendedReport(packet);
    default:
      return { kind: 'other', type };
  }
}

function parseSenderReport(packet: Buffer, count: number): RtcpPacket | null {
  if (packet.length < 28 + count * 24) return null;
  return {
    kind: 'sender-report',
    ssrc: packet.readUInt32BE(4),
    ntp: { seconds: packet.readUInt32BE(8), fraction: packet.readUInt32BE(12) },
    rtpTimestamp: packet.readUInt32BE(16),
    packets: packet.readUInt32BE(20),
    octets: packet.readUInt32BE(24),
    reports: parseReports(packet, 28, count),
  };
}

function parseReports(packet: Buffer, start: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * 24;
    return {
      ssrc: packet.readUInt32BE(at),
      lossRatio: packet.readUInt8(at + 4) / 256,
      lostTotal: packet.readIntBE(at + 5, 3),
      highestSequence: packet.readUInt32BE(at + 8),
      jitter: packet.readUInt32BE(at + 12),
      lastReport: packet.readUInt32BE(at + 16),
      delaySinceLastReport: packet.readUInt32BE(at + 20),
    };
  });
}

function parseNack(packet: Buffer): RtcpPacket {
  const lost = new Set<number>();
  for (let at = 12; at + 4 <= packet.length && lost.size < MAX_LOST; at += 4) {
    const first = packet.readUInt16BE(at);
    const following = packet.readUInt16BE(at + 2);
    lost.add(first);
    for (let bit = 0; bit < 16; bit++) {
      if (following & (1 << bit)) lost.add((first + bit + 1) & 0xffff);
    }
  }
  return { kind: 'nack', mediaSsrc: packet.readUInt32BE(8), lost: [...lost].slice(0, MAX_LOST) };
}

/** Up to the first malformed block. */
function parseExtendedReport(packet: Buffer): RtcpPacket {
  const references: ReferenceTime[] = [];
  for (let at = 8; at + 4 <= packet.length; ) {
    const end = at + 4 + packet.readUInt16BE(at + 2) * 4;
    if (end > packet.length) break;
    if (packet.readUInt8(at) === ExtendedBlock.reference && end === at + 12) {
      const ntp = { seconds: packet.readUInt32BE(at + 4), fraction: packet.readUInt32BE(at + 8) };
      references.push({ ssrc: packet.readUInt32BE(4), ntp });
    }
    at = end;
  }
  return { kind: 'extended-report', references };
}

function parsePayloadFeedback(packet: Buffer, format: number): RtcpPacket {
  if (format === 1) return { kind: 'picture-loss', mediaSsrc: packet.readUInt32BE(8) };
  if (format === 4) {
    const mediaSsrcs: number[] = [];
    for (let at = 12; at + 8 <= packet.length; at += 8) mediaSsrcs.push(packet.readUInt32BE(at));
    return { kind: 'full-intra-request', mediaSsrcs };
  }
  if (format === 15 && packet.length >= 20 && packet.readUInt32BE(12) === REMB_IDENTIFIER) {
    const count = packet.readUInt8(16);
    const exponent = packet.readUInt8(17) >> 2;
    const mantissa = packet.readUIntBE(17, 3) & 0x3ffff;
    const ssrcs: number[] = [];
    for (let i = 0; i < count && 24 + i * 4 <= packet.length; i++)
      ssrcs.push(packet.readUInt32BE(20 + i * 4));
    return { kind: 'remb', bitrateBps: mantissa * 2 ** exponent, ssrcs };
  }
  return { kind: 'other', type: RtcpType.PSFB };
}
