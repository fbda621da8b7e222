/** Reassembles NAL units from RTP payloads (RFC 7798, section 4.4). */
import { H265Nal, h265Type, isWholeH265, splitAp } from './h265.ts';
import { NalCollector } from './nal-collector.ts';

const FU_HEADER_BYTES = 3;

/** One instance per stream; payloads must come in sequence order, and gaps must be reported by `lost()`. */
export class H265Depacketizer {
  readonly #collector = new NalCollector();

  /** The NAL units that are complete with this payload, in order, without start codes. */
  push(payload: Buffer): Buffer[] {
    if (payload.length === 0) return [];
    const type = h265Type(payload);
    if (type === H265Nal.FU) return this.#pushFragment(payload);
    this.lost();
    if (type === H265Nal.AP) return splitAp(payload) ?? [];
    return isWholeH265(type) ? [payload] : [];
  }

  /** Packets are missing: the NAL unit that was being collected is dropped. */
  lost(): void {
    this.#collector.drop();
  }

  #pushFragment(payload: Buffer): Buffer[] {
    if (payload.length <= FU_HEADER_BYTES) return [];
    const [first, second, header] = [payload.readUInt8(0), payload.readUInt8(1), payload.readUInt8(2)];
    const type = header & 0x3f;
    if (!isWholeH265(type)) {
      this.lost();
      return [];
    }
    if (header & 0x80) this.#collector.begin(Buffer.from([(first & 0x81) | (type << 1), second]));
    const nal = this.#collector.add(payload.subarray(FU_HEADER_BYTES), (header & 0x40) !== 0);
    return nal === null ? [] : [nal];
  }
}
