/** Transport-wide feedback: when each packet of a connection arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01). */

/** Name of the header extension that numbers all packets of a connection. */
export const TRANSPORT_NUMBERS = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
/** Arrival times are in units of 1/4 ms. */
export const TICKS_PER_MS = 4;
/** A reference time is a multiple of 64 ms. */
export const REFERENCE_TICKS = 64 * TICKS_PER_MS;
/** Of feedback about the transport (RFC 4585, section 6.2). */
export const TRANSPORT_FEEDBACK_FORMAT = 15;
const PACKET_TYPE = 205;
const HEAD_BYTES = 20;
const MOST_IN_RUN = 0x1fff;

/** One message. */
export interface TransportFeedback {
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** Counts the messages, 8 bit. */
  readonly count: number;
  /** Number of the first packet, 16 bit. */
  readonly first: number;
  /** 24 bit, in units of 64 ms. */
  readonly reference: number;
  /** When the first packet and those after it arrived, in ticks since the reference time; null if it has not. Two in a row are less than 8 s apart. */
  readonly arrivals: readonly (number | null)[];
}

/** Not received, a difference that fits one byte, or two. */
type Status = 0 | 1 | 2;

/** Writes a message. */
export function buildTransportFeedback(feedback: TransportFeedback): Buffer {
  const { statuses, differences } = differencesOf(feedback.arrivals);
  const chunks = chunksOf(statuses);
  const used = HEAD_BYTES + chunks.length * 2 + differences.length;
  const packet = Buffer.alloc(Math.ceil(used / 4) * 4);
  const padding = packet.length - used;
  packet[0] = 0x80 | (padding > 0 ? 0x20 : 0) | TRANSPORT_FEEDBACK_FORMAT;
  packet[1] = PACKET_TYPE;
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt32BE(feedback.senderSsrc, 4);
  packet.writeUInt32BE(feedback.mediaSsrc, 8);
  packet.writeUInt16BE(feedback.first, 12);
  packet.writeUInt16BE(statuses.length, 14);
  packet.writeUIntBE(feedback.reference, 16, 3);
  packet.writeUInt8(feedback.count, 19);
  chunks.forEach((chunk, i) => {
    packet.writeUInt16BE(chunk, HEAD_BYTES + i * 2);
  });
  packet.set(differences, HEAD_BYTES + chunks.length * 2);
  if (padding > 0) packet[packet.length - 1] = padding;
  return packet;
}

function differencesOf(arrivals: readonly (number | null)[]): { statuses: Status[]; differences: number[] } {
  const differences: number[] = [];
  let before = 0;
  const statuses = arrivals.map((at): Status => {
    if (at === null) return 0;
    const difference = at - before;
    before = at;
    if (difference >= 0 && difference <= 0xff) {
      differences.push(difference);
      return 1;
    }
    differences.push((difference >> 8) & 0xff, difference & 0xff);
    return 2;
  });
  return { statuses, differences };
}

/** Runs of equal ones in one chunk; others seven at a time, or fourteen if none needs two bytes. */
function chunksOf(statuses: readonly Status[]): number[] {
  const chunks: number[] = [];
  for (let at = 0; at < statuses.length; ) {
    const status = statuses[at] ?? 0;
    let run = 1;
    while (statuses[at + run] === status && run < MOST_IN_RUN) run++;
    const next = statuses.slice(at, at + 14);
    const small = next.every((one) => one < 2);
    if (run >= next.length || run >= (small ? 14 : 7)) {
      chunks.push((status << 13) | run);
      at += run;
    } else {
      const [count, bits] = small ? [14, 1] : [7, 2];
      const symbols = next.slice(0, count);
      chunks.push(
        symbols.reduce(
          (chunk, one, i) => chunk | (one << (14 - bits * (i + 1))),
          0x8000 | (small ? 0 : 0x4000),
        ),
      );
      at += symbols.length;
    }
  }
  return chunks;
}
