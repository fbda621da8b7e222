/** RTCP packets that an SFU writes. Each function gives one packet; a compound is their concatenation. */
import type { NtpTime } from './ntp.ts';
import { ExtendedBlock, type ReferenceEcho, type ReportBlock, RtcpType } from './rtcp.ts';

/** A sender report without report blocks. */
export interface SenderReport {
  readonly ssrc: number;
  readonly ntp: NtpTime;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** SR (RFC 3550, section 6.4.1). */
export function buildSenderReport(report: SenderReport): Buffer {
  const packet = start(RtcpType.SR, 0, 28);
  packet.writeUInt32BE(report.ssrc, 4);
  packet.writeUInt32BE(report.ntp.seconds, 8);
  packet.writeUInt32BE(report.ntp.fraction, 12);
  packet.writeUInt32BE(report.rtpTimestamp, 16);
  packet.writeUInt32BE(report.packets >>> 0, 20);
  packet.writeUInt32BE(report.octets >>> 0, 24);
  return packet;
}

/** RR (RFC 3550, section 6.4.2). */
export function buildReceiverReport(ssrc: number, reports: readonly ReportBlock[]): Buffer {
  const packet = start(RtcpType.RR, reports.length, 8 + reports.length * 24);
  packet.writeUInt32BE(ssrc, 4);
  reports.forEach((report, i) => {
    const at = 8 + i * 24;
    packet.writeUInt32BE(report.ssrc, at);
    packet.writeUInt8(Math.min(255, Math.max(0, Math.floor(report.lossRatio * 256))), at + 4);
    packet.writeIntBE(Math.min(0x7fffff, Math.max(-0x800000, report.lostTotal)), at + 5, 3);
    packet.writeUInt32BE(report.highestSequence >>> 0, at + 8);
    packet.writeUInt32BE(report.jitter >>> 0, at + 12);
    packet.writeUInt32BE(report.lastReport >>> 0, at + 16);
    packet.writeUInt32BE(report.delaySinceLastReport >>> 0, at + 20);
  });
  return packet;
}

/** SDES with only the canonical name, which every compound contains (RFC 3550, section 6.1). */
export function buildCanonicalName(ssrc: number, name: string): Buffer {
  const text = Buffer.from(name).subarray(0, 255);
  const packet = start(RtcpType.SDES, 1, Math.ceil((4 + 4 + 2 + text.length + 1) / 4) * 4);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt8(1, 8);
  packet.writeUInt8(text.length, 9);
  text.copy(packet, 10);
  return packet;
}

/** Generic NACK (RFC 4585, section 6.2.1). `lost` contains 16-bit sequence numbers in ascending order. */
export function buildNack(senderSsrc: number, mediaSsrc: number, lost: readonly number[]): Buffer {
  const entries: { first: number; following: number }[] = [];
  for (const sequence of lost) {
    const last = entries.at(-1);
    const behind = last === undefined ? Number.POSITIVE_INFINITY : (sequence - last.first) & 0xffff;
    if (last !== undefined && behind >= 1 && behind <= 16) last.following |= 1 << (behind - 1);
    else entries.push({ first: sequence, following: 0 });
  }
  const packet = startFeedback(RtcpType.RTPFB, 1, senderSsrc, mediaSsrc, entries.length * 4);
  entries.forEach((entry, i) => {
    packet.writeUInt16BE(entry.first, 12 + i * 4);
    packet.writeUInt16BE(entry.following, 14 + i * 4);
  });
  return packet;
}

/** PLI (RFC 4585, section 6.3.1). */
export function buildPictureLoss(senderSsrc: number, mediaSsrc: number): Buffer {
  return startFeedback(RtcpType.PSFB, 1, senderSsrc, mediaSsrc, 0);
}

/** Receiver Estimated Maximum Bitrate (draft-alvestrand-rmcat-remb-03). */
export function buildRemb(senderSsrc: number, bitrateBps: number, ssrcs: readonly number[]): Buffer {
  const packet = startFeedback(RtcpType.PSFB, 15, senderSsrc, 0, 8 + ssrcs.length * 4);
  packet.write('REMB', 12, 'latin1');
  const exponent = Math.max(0, Math.ceil(Math.log2(Math.max(1, bitrateBps) / 0x3ffff)));
  const mantissa = Math.min(0x3ffff, Math.floor(bitrateBps / 2 ** exponent));
  packet.writeUInt8(ssrcs.length, 16);
  packet.writeUIntBE(exponent * 2 ** 18 + mantissa, 17, 3);
  ssrcs.forEach((ssrc, i) => {
    packet.writeUInt32BE(ssrc, 20 + i * 4);
  });
  return packet;
}

/** What receivers need for their round trip (RFC 3611, section 4.5). */
export function buildReferenceEchoes(ssrc: number, echoes: readonly ReferenceEcho[]): Buffer {
  const packet = start(RtcpType.XR, 0, 12 + echoes.length * 12);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt8(ExtendedBlock.echoes, 8);
  packet.writeUInt16BE(echoes.length * 3, 10);
  echoes.forEach((echo, i) => {
    const at = 12 + i * 12;
    packet.writeUInt32BE(echo.ssrc, at);
    packet.writeUInt32BE(echo.lastReference, at + 4);
    packet.writeUInt32BE(echo.delay, at + 8);
  });
  return packet;
}

/** BYE (RFC 3550, section 6.6). */
export function buildBye(ssrcs: readonly number[]): Buffer {
  const packet = start(RtcpType.BYE, ssrcs.length, 4 + ssrcs.length * 4);
  ssrcs.forEach((ssrc, i) => {
    packet.writeUInt32BE(ssrc, 4 + i * 4);
  });
  return packet;
}

function start(type: number, count: number, bytes: number): Buffer {
  const packet = Buffer.alloc(bytes);
  packet[0] = 0x80 | count;
  packet[1] = type;
  packet.writeUInt16BE(bytes / 4 - 1, 2);
  return packet;
}

function startFeedback(type: number, format: number, sender: number, media: number, body: number): Buffer {
  const packet = start(type, format, 12 + body);
  packet.writeUInt32BE(sender, 4);
  packet.writeUInt32BE(media, 8);
  return packet;
}
