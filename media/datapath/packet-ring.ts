/** The newest packets of a track, found by sequence number. */
import type { TrackPacket } from './datapath.ts';

export class PacketRing {
  readonly #slots: (TrackPacket | null)[];
  #head: number | null = null;
  #first = 0;

  constructor(size: number) {
    this.#slots = new Array<TrackPacket | null>(size).fill(null);
  }

  /** Sequence number of the newest packet; null while empty. */
  get head(): number | null {
    return this.#head;
  }

  /** The oldest sequence number that can still be here. */
  get tail(): number {
    return this.#head === null ? 0 : Math.max(this.#first, this.#head - this.#slots.length + 1);
  }

  /** False where the packet is too old or already known. */
  put(packet: TrackPacket): boolean {
    if (this.#head === null) this.#first = packet.sequence;
    else if (packet.sequence < this.tail || this.get(packet.sequence) !== null) return false;
    this.#slots[this.#index(packet.sequence)] = packet;
    if (this.#head === null || packet.sequence > this.#head) this.#head = packet.sequence;
    return true;
  }

  get(sequence: number): TrackPacket | null {
    const packet = this.#slots[this.#index(sequence)] ?? null;
    return packet?.sequence === sequence ? packet : null;
  }

  #index(sequence: number): number {
    return ((sequence % this.#slots.length) + this.#slots.length) % this.#slots.length;
  }
}
