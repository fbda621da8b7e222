/** Makes payloads fit a size limit. Packets that fit pass unchanged, which is the rule; NAL units are never altered. */
import { isWholeNal, NalType, nalType, splitStapA } from './h264.ts';

const FU_HEADER_BYTES = 2;
const START = 0x80;
const END = 0x40;

/**
 * Splits an H.264 RTP payload that exceeds `maxBytes` (> 3) into several, to be sent in this order with the same timestamp. A
 * payload that fits comes back alone; one that is too large and malformed gives nothing.
 */
export function fitH264(payload: Buffer, maxBytes: number): Buffer[] {
  if (payload.length <= maxBytes) return [payload];
  const type = nalType(payload);
  if (type === NalType.STAP_A)
    return (splitStapA(payload) ?? []).flatMap((nal) =>
      nal.length <= maxBytes ? [nal] : fragmentNal(nal, maxBytes),
    );
  if (type !== NalType.FU_A) return isWholeNal(type) ? fragmentNal(payload, maxBytes) : [];
  const header = payload.readUInt8(1);
  const edges = header & (START | END);
  return fragment(payload.readUInt8(0), header & 0x1f, edges, payload.subarray(2), maxBytes);
}

function fragmentNal(nal: Buffer, maxBytes: number): Buffer[] {
  const indicator = (nal.readUInt8(0) & 0xe0) | NalType.FU_A;
  return fragment(indicator, nalType(nal), START | END, nal.subarray(1), maxBytes);
}

/** `edges` says whether the body begins and ends a NAL unit. */
function fragment(indicator: number, type: number, edges: number, body: Buffer, maxBytes: number): Buffer[] {
  const room = maxBytes - FU_HEADER_BYTES;
  const packets: Buffer[] = [];
  for (let offset = 0; offset < body.length; offset += room) {
    const part = body.subarray(offset, offset + room);
    const first = offset === 0 ? edges & START : 0;
    const last = offset + room >= body.length ? edges & END : 0;
    packets.push(Buffer.concat([Buffer.from([indicator, first | last | type]), part]));
  }
  return packets;
}
