/** Reassembles NAL units from RTP payloads (RFC 6184, section 5). */
import { isWholeNal, NalType, nalType, splitStapA } from './h264.ts';

const MAX_NAL_BYTES = 8 * 1024 * 1024;
/** Each fragment is an object of its own: tiny ones would take many times the memory of their content. */
const MAX_FRAGMENTS = 16_384;

/** One instance per stream; payloads must come in sequence order, and gaps must be reported by `lost()`. */
export class H264Depacketizer {
  #fragments: Buffer[] = [];
  #bytes = 0;

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
    this.#fragments = [];
    this.#bytes = 0;
  }

  #pushFragment(payload: Buffer): Buffer[] {
    if (payload.length < 3) return [];
    const indicator = payload.readUInt8(0);
    const header = payload.readUInt8(1);
    if (!isWholeNal(header & 0x1f)) {
      this.lost();
      return [];
    }
    if (header & 0x80) {
      this.lost();
      this.#fragments.push(Buffer.from([(indicator & 0xe0) | (header & 0x1f)]));
    } else if (this.#fragments.length === 0) {
      return [];
    }
    this.#bytes += payload.length - 2;
    if (this.#bytes > MAX_NAL_BYTES || this.#fragments.length > MAX_FRAGMENTS) {
      this.lost();
      return [];
    }
    this.#fragments.push(payload.subarray(2));
    if ((header & 0x40) === 0) return [];
    const nal = Buffer.concat(this.#fragments);
    this.lost();
    return [nal];
  }
}
