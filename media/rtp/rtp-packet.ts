/** RTP packets (RFC 3550, section 5.1), read in place and written without extensions or contributing sources. */

/** Length of the fixed header. */
export const RTP_HEADER_BYTES = 12;

/** A packet that was read, or that is to be written. */
export interface RtpPacket {
  readonly marker: boolean;
  readonly payloadType: number;
  /** 16 bit. */
  readonly sequence: number;
  /** 32 bit, unsigned, in units of the codec's clock. */
  readonly timestamp: number;
  /** 32 bit, unsigned. */
  readonly ssrc: number;
  /** A view into the datagram: padding, extensions and contributing sources are left out. */
  readonly payload: Buffer;
}

/** True if a datagram on a multiplexed port is RTCP instead of RTP (RFC 5761, section 4). */
export function isRtcp(datagram: Buffer): boolean {
  const type = datagram[1] ?? 0;
  return type >= 192 && type <= 223;
}

/** Offset of the payload after the fixed header, contributing sources and extension; null if the packet is malformed. */
export function rtpHeaderBytes(datagram: Buffer): number | null {
  if (datagram.length < RTP_HEADER_BYTES) return null;
  const first = datagram.readUInt8(0);
  if (first >> 6 !== 2) return null;
  let offset = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (offset + 4 > datagram.length) return null;
    offset += 4 + datagram.readUInt16BE(offset + 2) * 4;
  }
  return offset <= datagram.length ? offset : null;
}

/** Reads a packet; null if it is malformed. */
export function parseRtp(datagram: Buffer): RtpPacket | null {
  const start = rtpHeaderBytes(datagram);
  if (start === null) return null;
  let end = datagram.length;
  if (datagram.readUInt8(0) & 0x20) {
    const padding = datagram.readUInt8(end - 1);
    if (padding === 0 || start + padding > end) return null;
    end -= padding;
  }
  const second = datagram.readUInt8(1);
  return {
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    payload: datagram.subarray(start, end),
  };
}

/** The text of a header extension (RFC 8285) with this number; empty if there is none. */
export function rtpExtension(datagram: Buffer, id: number): string {
  const first = datagram[0] ?? 0;
  const at = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) === 0 || at + 4 > datagram.length) return '';
  const profile = datagram.readUInt16BE(at);
  const oneByte = profile === 0xbede;
  if (!oneByte && (profile & 0xfff0) !== 0x1000) return '';
  const end = Math.min(datagram.length, at + 4 + datagram.readUInt16BE(at + 2) * 4);
  for (let i = at + 4; i < end; ) {
    const head = datagram[i] ?? 0;
    if (head === 0) {
      i++;
      continue;
    }
    const found = oneByte ? head >> 4 : head;
    const length = oneByte ? (head & 0x0f) + 1 : (datagram[i + 1] ?? end);
    i += oneByte ? 1 : 2;
    if ((oneByte && found === 15) || i + length > end) return '';
    if (found === id) return datagram.toString('latin1', i, i + length);
    i += length;
  }
  return '';
}

/** Writes the fixed header into the first 12 bytes of `target`. */
export function writeRtpHeader(target: Buffer, header: Omit<RtpPacket, 'payload'>): void {
  target[0] = 0x80;
  target[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  target.writeUInt16BE(header.sequence, 2);
  target.writeUInt32BE(header.timestamp, 4);
  target.writeUInt32BE(header.ssrc, 8);
}

/** A packet with its payload. */
export function buildRtp(packet: RtpPacket): Buffer {
  const datagram = Buffer.allocUnsafe(RTP_HEADER_BYTES + packet.payload.length);
  writeRtpHeader(datagram, packet);
  packet.payload.copy(datagram, RTP_HEADER_BYTES);
  return datagram;
}
