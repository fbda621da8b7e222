/** NAL unit types of H.264 (ITU-T H.264, table 7-1). */
const nalIdr = 5;
const nalSps = 7;
const fuA = 28;
const stapA = 24;

/**
 * Counts pictures of an RTP stream of H.264 (RFC 6184): an access unit ends with the marker bit. Recognises keyframes, and gaps
 * in the sequence numbers.
 */
export class H264Counter {
  pictures = 0;
  keyframes = 0;
  parameterSets = 0;
  lost = 0;
  #lastSequence: number | null = null;
  #keyframe = false;

  /** Takes a packet; RTCP (RFC 5761: second byte 192–223) and packets that are too short are ignored. */
  take(packet: Buffer): void {
    const second = packet[1] ?? 0;
    if (packet.length < 13 || (packet[0] ?? 0) >> 6 !== 2 || (second >= 192 && second <= 223)) return;
    this.#followSequence(packet.readUInt16BE(2));
    const payload = packet.subarray(headerLength(packet));
    for (const type of nalTypes(payload)) {
      if (type === nalIdr) this.#keyframe = true;
      if (type === nalSps) this.parameterSets += 1;
    }
    if (second >> 7 === 0) return;
    this.pictures += 1;
    if (this.#keyframe) this.keyframes += 1;
    this.#keyframe = false;
  }

  #followSequence(sequence: number): void {
    const last = this.#lastSequence;
    const ahead = last === null ? 1 : (sequence - last) & 0xffff;
    // A packet with an earlier number is a retransmission or late: nothing is missing because of it.
    if (ahead >= 0x8000) return;
    if (ahead > 1) this.lost += ahead - 1;
    this.#lastSequence = sequence;
  }
}

function headerLength(packet: Buffer): number {
  const first = packet[0] ?? 0;
  const fixed = 12 + (first & 15) * 4;
  const hasExtension = (first & 16) !== 0 && packet.length >= fixed + 4;
  return hasExtension ? fixed + 4 + packet.readUInt16BE(fixed + 2) * 4 : fixed;
}

function nalTypes(payload: Buffer): number[] {
  if (payload.length < 2) return [];
  const type = (payload[0] ?? 0) & 31;
  if (type === fuA) return [(payload[1] ?? 0) & 31];
  if (type !== stapA) return [type];
  const types: number[] = [];
  for (let offset = 1; offset + 3 <= payload.length; ) {
    types.push((payload[offset + 2] ?? 0) & 31);
    offset += 2 + payload.readUInt16BE(offset);
  }
  return types;
}
