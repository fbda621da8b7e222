import type { Writable } from 'node:stream';
import type { PacketOutlet } from '../datapath/datapath.ts';
import { H264Depacketizer } from '../rtp/h264-depacketizer.ts';
import { H265Depacketizer } from '../rtp/h265-depacketizer.ts';
import type { VideoCodec } from '../rtp/video-payload.ts';

const startCode = Buffer.from([0, 0, 0, 1]);
/** Ends a picture: without it a reader learns of the end only from the next picture's beginning, a frame later. */
const accessUnitDelimiters: Readonly<Record<VideoCodec, Buffer>> = {
  h264: Buffer.from([0, 0, 0, 1, 0x09, 0xf0]),
  h265: Buffer.from([0, 0, 0, 1, 0x46, 0x01, 0x50]),
};
/** A reader with this much unread gets nothing more before it has read it; then it continues at a keyframe. */
const maxWaitingBytes = 1024 * 1024;
/** A missing packet is awaited while this many others come: a publisher's repetitions need a round trip. */
const maxHeldPackets = 64;

interface Packet {
  readonly marker: boolean;
  readonly payload: Buffer;
}

/** One reader of a tap: RTP payloads become a byte stream. */
export class TapReader implements PacketOutlet {
  readonly #stream: Writable;
  readonly #onLoss: () => void;
  readonly #delimiter: Buffer;
  readonly #depacketizer: H264Depacketizer | H265Depacketizer;
  readonly #held = new Map<number, Packet>();
  #next: number | null = null;

  /** @param onLoss called when packets are given up: the pictures are damaged until the next keyframe */
  constructor(stream: Writable, codec: VideoCodec, onLoss: () => void) {
    this.#delimiter = accessUnitDelimiters[codec];
    this.#depacketizer = codec === 'h265' ? new H265Depacketizer() : new H264Depacketizer();
    this.#stream = stream;
    this.#onLoss = onLoss;
  }

  get blocked(): boolean {
    return this.#stream.writableLength > maxWaitingBytes;
  }

  sendRtp(head: { readonly marker: boolean }, sequence: number, payload: Buffer): void {
    this.#next ??= sequence;
    if (this.#stream.destroyed || sequence < this.#next) return;
    this.#held.set(sequence, { marker: head.marker, payload });
    if (this.#held.size > maxHeldPackets) this.#giveUp();
    this.#writeReady();
  }

  #writeReady(): void {
    const parts: Buffer[] = [];
    for (let packet = this.#take(); packet !== undefined; packet = this.#take()) {
      for (const nal of this.#depacketizer.push(packet.payload)) parts.push(startCode, nal);
      if (packet.marker) parts.push(this.#delimiter);
    }
    if (parts.length > 0) this.#stream.write(Buffer.concat(parts));
  }

  /** The next packet, if it is there. */
  #take(): Packet | undefined {
    const turn = this.#next ?? 0;
    const packet = this.#held.get(turn);
    if (packet === undefined || !this.#held.delete(turn)) return undefined;
    this.#next = turn + 1;
    return packet;
  }

  #giveUp(): void {
    this.#next = Math.min(...this.#held.keys());
    this.#depacketizer.lost();
    this.#onLoss();
  }
}
