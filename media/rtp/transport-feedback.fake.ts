/** Reads transport-wide feedback as publishers do, for tests. */
import { TRANSPORT_FEEDBACK_FORMAT, type TransportFeedback } from './transport-feedback.ts';

const PACKET_TYPE = 205;
const HEAD_BYTES = 20;
/** More packets than that come in no second, so the rest of a longer run is nonsense. */
const MAX_STATUSES = 32_768;
const MOST_IN_RUN = 0x1fff;

/** Not received, a difference that fits one byte, or two. */
type Status = 0 | 1 | 2;

/** All messages of a compound. */
export function transportFeedbackIn(compound: Buffer): TransportFeedback[] {
  const found: TransportFeedback[] = [];
  for (let at = 0; at + 4 <= compound.length; ) {
    const end = at + 4 + compound.readUInt16BE(at + 2) * 4;
    const packet = compound.subarray(at, end);
    const isFeedback = packet[1] === PACKET_TYPE && ((packet[0] ?? 0) & 0x1f) === TRANSPORT_FEEDBACK_FORMAT;
    const message = isFeedback ? parseTransportFeedback(packet) : null;
    if (message !== null) found.push(message);
    at = end;
  }
  return found;
}

/** Reads a message; null if it is malformed. */
export function parseTransportFeedback(packet: Buffer): TransportFeedback | null {
  if (packet.length < HEAD_BYTES) return null;
  const padding = packet.readUInt8(0) & 0x20 ? packet.readUInt8(packet.length - 1) : 0;
  const body = packet.subarray(0, packet.length - padding);
  const wanted = packet.readUInt16BE(14);
  const statuses: Status[] = [];
  let at = HEAD_BYTES;
  for (; statuses.length < wanted; at += 2) {
    if (at + 2 > body.length) return null;
    readChunk(body.readUInt16BE(at), statuses, Math.min(wanted, MAX_STATUSES));
  }
  const arrivals = readArrivals(body.subarray(at), statuses);
  if (arrivals === null) return null;
  return {
    senderSsrc: packet.readUInt32BE(4),
    mediaSsrc: packet.readUInt32BE(8),
    count: packet.readUInt8(19),
    first: packet.readUInt16BE(12),
    reference: packet.readUIntBE(16, 3),
    arrivals,
  };
}

function readChunk(chunk: number, statuses: Status[], wanted: number): void {
  const vector = (chunk & 0x8000) !== 0;
  const bits = (chunk & 0x4000) === 0 ? 1 : 2;
  const count = vector ? 14 / bits : chunk & MOST_IN_RUN;
  for (let i = 0; i < count && statuses.length < wanted; i++) {
    const symbol = vector ? (chunk >> (14 - bits * (i + 1))) & (bits === 1 ? 1 : 3) : (chunk >> 13) & 3;
    // 3 is reserved.
    statuses.push(symbol === 1 || symbol === 2 ? symbol : 0);
  }
  // A run of nothing would never end.
  if (count === 0) statuses.push(0);
}

function readArrivals(differences: Buffer, statuses: readonly Status[]): (number | null)[] | null {
  let at = 0;
  let time = 0;
  const arrivals: (number | null)[] = [];
  for (const status of statuses) {
    if (at + status > differences.length) return null;
    if (status === 1) time += differences.readUInt8(at);
    if (status === 2) time += differences.readInt16BE(at);
    arrivals.push(status === 0 ? null : time);
    at += status;
  }
  return arrivals;
}
