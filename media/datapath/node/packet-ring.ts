import type { TrackPacket } from '../datapath.ts';

/** The newest packets of a track, found by sequence number. */
export class PacketRing {
  readonly #least: number;
  readonly #most: number;
  readonly #mostOctets: number;
  #slots: (TrackPacket | null)[];
  #head: number | null = null;
  #first = 0;
  #octets = 0;

  /** Holds `size` packets, and up to `most` if `keepFrom` asks for it, as long as they have no more than `mostOctets`. */
  constructor(size: number, most = size, mostOctets = Number.POSITIVE_INFINITY) {
    this.#least = size;
    this.#most = most;
    this.#mostOctets = mostOctets;
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

  get size(): number {
    return this.#slots.length;
  }

  /** Makes room, before a packet is put, so that the packets from `sequence` on stay; and releases room that is not used. */
  keepFrom(sequence: number, next: number): void {
    const needed = next - sequence + 1;
    const size = this.#slots.length;
    if (needed > size && this.#octets < this.#mostOctets) this.#resize(Math.min(this.#most, size * 2));
    else if (size > this.#least && needed * 4 < size) this.#resize(Math.max(this.#least, size / 2));
  }

  /** False if the packet is too old or already known. */
  put(packet: TrackPacket): boolean {
    if (this.#head === null) this.#first = packet.sequence;
    else if (packet.sequence < this.tail || this.get(packet.sequence) !== null) return false;
    const index = this.#index(packet.sequence);
    this.#octets += packet.payload.length - (this.#slots[index]?.payload.length ?? 0);
    this.#slots[index] = packet;
    if (this.#head === null || packet.sequence > this.#head) this.#head = packet.sequence;
    return true;
  }

  get(sequence: number): TrackPacket | null {
    const packet = this.#slots[this.#index(sequence)] ?? null;
    return packet?.sequence === sequence ? packet : null;
  }

  #resize(size: number): void {
    if (size === this.#slots.length) return;
    const kept = this.#slots.filter((packet) => packet !== null);
    const tail = this.#head === null ? 0 : Math.max(this.tail, this.#head - size + 1);
    if (this.#head !== null) this.#first = tail;
    this.#slots = new Array<TrackPacket | null>(size).fill(null);
    this.#octets = 0;
    for (const packet of kept) {
      if (packet.sequence < tail) continue;
      this.#slots[this.#index(packet.sequence)] = packet;
      this.#octets += packet.payload.length;
    }
  }

  #index(sequence: number): number {
    return ((sequence % this.#slots.length) + this.#slots.length) % this.#slots.length;
  }
}
