/** What only receivers write and read of extended reports (RFC 3611), for tests. */
import { ExtendedBlock, type ReferenceEcho, type ReferenceTime, RtcpType } from './rtcp.ts';

/** The clock of a receiver, for its round trip (section 4.4). */
export function buildReferenceTime({ ssrc, ntp }: ReferenceTime): Buffer {
  const packet = Buffer.from([
    0x80,
    RtcpType.XR,
    0,
    4,
    0,
    0,
    0,
    0,
    ExtendedBlock.reference,
    0,
    0,
    2,
    ...Buffer.alloc(8),
  ]);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt32BE(ntp.seconds, 12);
  packet.writeUInt32BE(ntp.fraction, 16);
  return packet;
}

/** The answers of a sender in a compound (section 4.5): of extended reports with one block. */
export function referenceEchoesIn(compound: Buffer): ReferenceEcho[] {
  const found: ReferenceEcho[] = [];
  for (let at = 0; at + 4 <= compound.length; ) {
    const end = at + 4 + compound.readUInt16BE(at + 2) * 4;
    const hasEchoes = compound[at + 1] === RtcpType.XR && compound[at + 8] === ExtendedBlock.echoes;
    for (let echo = at + 12; hasEchoes && echo + 12 <= end; echo += 12) {
      const [ssrc, lastReference] = [compound.readUInt32BE(echo), compound.readUInt32BE(echo + 4)];
      found.push({ ssrc, lastReference, delay: compound.readUInt32BE(echo + 8) });
    }
    at = end;
  }
  return found;
}
