/** What a stream consists of, picture by picture: two streams are the same where these are. */
import { hash } from 'node:crypto';
import { H264Depacketizer } from '../rtp/h264-depacketizer.ts';
import { H265Depacketizer } from '../rtp/h265-depacketizer.ts';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import type { VideoCodec } from '../rtp/video-payload.ts';

/** SHA-256 of each access unit, in order, from packets without a gap. The last one, which may be unfinished, is left out. */
export class AccessUnits {
  readonly digests: string[] = [];
  readonly #depacketizer: H264Depacketizer | H265Depacketizer;
  #timestamp: number | null = null;
  #nals: Buffer[] = [];

  constructor(codec: VideoCodec = 'h264') {
    this.#depacketizer = codec === 'h265' ? new H265Depacketizer() : new H264Depacketizer();
  }

  push(packet: Pick<RtpPacket, 'timestamp' | 'payload'>): void {
    if (packet.timestamp !== this.#timestamp) this.#finish();
    this.#timestamp = packet.timestamp;
    this.#nals.push(...this.#depacketizer.push(packet.payload).map((nal) => Buffer.from(nal)));
  }

  #finish(): void {
    const startCode = Buffer.from([0, 0, 0, 1]);
    const unit = Buffer.concat(this.#nals.flatMap((nal) => [startCode, nal]));
    if (unit.length > 0) this.digests.push(hash('sha256', unit));
    this.#nals = [];
  }
}
