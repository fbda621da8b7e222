/** Reassembles NAL units from RTP payloads (RFC 6184, section 5). */
import { isWholeNal, NalType, nalType, splitStapA } from './h264.ts';
import { NalCollector } from './nal-collector.ts';

/** One instance per stream; payloads must come in sequence order, and gaps must be reported by `lost()`. */
export class H264Depacketizer {
  readonly #collector = new NalCollector();

  /** The NAL units that are complete with this payload, in order, without start codes. */
  push(payload: Buffer): Buffer[] {
    if (payload.length === 0) return [];
    const type = nalType(payload);
    if (type === NalType.FU_A) return this.#pushFragment(payload);
    this.lost();
    if (type === NalType.STAP_A) return splitStapA(payload) ?? [];
    return isWholeNal(type) ? [payload] : [];
  }

  /** Packets are missing: the NAL unit that was being collected is dropped. */
  lost(): void {
    this.#collector.drop();
  }

  #pushFragment(payload: Buffer): Buffer[] {
    if (payload.length < 3) return [];
    const indicator = payload.readUInt8(0);
    const header = payload.readUInt8(1);
    if (!isWholeNal(header & 0x1f)) {
      this.lost();
      return [];
    }
    if (header & 0x80) this.#collector.begin(Buffer.from([(indicator & 0xe0) | (header & 0x1f)]));
    const nal = this.#collector.add(payload.subarray(2), (header & 0x40) !== 0);
    return nal === null ? [] : [nal];
  }
}
