import { randomInt } from 'node:crypto';
import type {
  MediaTransport,
  PacketOutlet,
  SinkOptions,
  TrackPacket,
  TrackRelay,
  TrackSink,
} from '../datapath.ts';
import { NodeSink, type SinkTrack } from './node-sink.ts';
import { NodeTransport } from './node-transport.ts';
import { PacketRing } from './packet-ring.ts';

/** 4096 packets hold a second at 39 Mbit/s or four at 10; audio needs little. */
const RING_PACKETS = { video: 4096, audio: 512 } as const;
/** A group of pictures that is longer is kept whole, for those who join, up to this: 10 s at 25 Mbit/s, 40 s at 6. */
const MOST_RING_PACKETS = 32_768;
const MOST_RING_OCTETS = 32 * 1024 * 1024;
/** Portions to joining viewers. */
const PUMP_INTERVAL_MS = 4;

/** A track's packets and its fan-out in JavaScript. */
export class NodeRelay implements TrackRelay, SinkTrack {
  readonly kind: 'video' | 'audio';
  readonly ring: PacketRing;
  readonly #sinks = new Set<NodeSink>();
  #keyframe: number | null = null;
  #preface: readonly Buffer[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(kind: 'video' | 'audio') {
    this.kind = kind;
    const size = RING_PACKETS[kind];
    this.ring =
      kind === 'video' ? new PacketRing(size, MOST_RING_PACKETS, MOST_RING_OCTETS) : new PacketRing(size);
  }

  get head(): number | null {
    return this.ring.head;
  }

  get keyframe(): number | null {
    return this.#keyframe !== null && this.#keyframe >= this.ring.tail ? this.#keyframe : null;
  }

  get preface(): readonly Buffer[] {
    return this.#preface;
  }

  write(packet: TrackPacket): void {
    const newest = this.ring.head === null || packet.sequence > this.ring.head;
    if (newest && this.keyframe !== null) this.ring.keepFrom(this.keyframe, packet.sequence);
    if (!this.ring.put(packet)) return;
    for (const sink of this.#sinks) sink.offer(this, packet, newest);
  }

  markKeyframe(sequence: number, preface: readonly Buffer[] = []): void {
    this.#keyframe = sequence;
    this.#preface = preface;
    for (const sink of this.#sinks) sink.keyframe(this, sequence);
  }

  addSink(transport: MediaTransport, options: SinkOptions): NodeSink {
    if (!(transport instanceof NodeTransport)) throw new TypeError('transport of another datapath');
    return this.#add(transport, options);
  }

  takeOver(sink: TrackSink, lead: () => number | null): void {
    if (!(sink instanceof NodeSink)) throw new TypeError('sink of another datapath');
    sink.moveTo(this, lead);
  }

  addTap(outlet: PacketOutlet): NodeSink {
    return this.#add(outlet, { ssrc: 0, payloadType: 0 });
  }

  /** Bursts begin at once and continue in portions, so that one viewer's join never holds up the others' packets. */
  wake(): void {
    this.#timer ??= setTimeout(this.#pump, 0);
  }

  add(sink: NodeSink): void {
    this.#sinks.add(sink);
  }

  remove(sink: NodeSink): void {
    this.#sinks.delete(sink);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sinks.clear();
  }

  #add(outlet: PacketOutlet, options: SinkOptions): NodeSink {
    const sink = new NodeSink(this, outlet, options, randomInt(1, 0x8000));
    this.#sinks.add(sink);
    return sink;
  }

  readonly #pump = (): void => {
    this.#timer = null;
    let more = false;
    for (const sink of this.#sinks) {
      if (sink.catchingUp) sink.pump(sink.portion(performance.now()));
      more ||= sink.catchingUp;
    }
    if (more) this.#timer = setTimeout(this.#pump, PUMP_INTERVAL_MS);
  };
}
