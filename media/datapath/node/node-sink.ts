import { extendSequence, timestampDistance } from '../../rtp/sequence.ts';
import type { PacketOutlet, SinkOptions, SinkStats, TrackPacket, TrackSink } from '../datapath.ts';
import { KeyframeRepeats } from './keyframe-repeats.ts';
import type { PacketRing } from './packet-ring.ts';
import { RepairBudget } from './repair-budget.ts';
import { Repetitions } from './repetitions.ts';
import { SequenceMap } from './sequence-map.ts';
import { SinkPace } from './sink-pace.ts';
import { type TimeWarp, warped, warpOf } from './time-warp.ts';

/** A packet is not sent again within a round trip, and this at least: its first repetition is still under way. */
const LEAST_PAUSE_MS = 15;
/** So many packets missing at once are a lone loss. */
const FEW_PACKETS = 3;
/** Another layer's first picture comes so much later than the last one before it, at least. */
const LAYER_STEP = 1500;

type SinkState = 'paused' | 'waiting' | 'catching-up' | 'live';

/** What a sink needs of the relay it belongs to. */
export interface SinkTrack {
  readonly kind: 'video' | 'audio';
  readonly ring: PacketRing;
  readonly keyframe: number | null;
  readonly preface: readonly Buffer[];
  /** The sink wants to be pumped. */
  wake(): void;
  add(sink: NodeSink): void;
  remove(sink: NodeSink): void;
}

/** One viewer's cursor into a track. */
export class NodeSink implements TrackSink {
  #track: SinkTrack;
  /** The layer it goes over to. */
  #next: { readonly track: SinkTrack; readonly lead: () => number | null } | null = null;
  /** Another layer is about to begin: how far the times of the one before are ahead of it, and null if that is not known. */
  #moved: { readonly lead: number | null } | null = null;
  #offset = 0;
  /** The viewer's number of the layer's first packet: what came before it is of no use. */
  #firstOfLayer = 0;
  readonly #transport: PacketOutlet;
  readonly #options: SinkOptions;
  readonly #map: SequenceMap;
  readonly #repeated = new Repetitions();
  readonly #budget = new RepairBudget();
  #state: SinkState = 'paused';
  #cursor = 0;
  #blocked = false;
  #packets = 0;
  #octets = 0;
  /** The next number in the stream of repairs. */
  #repairSequence = 1;
  #retransmitted = 0;
  #retransmittedOctets = 0;
  #retransmitsRefused = 0;
  #skippedFrames = 0;
  /** Where the viewer last started: it no longer needs earlier packets. */
  #startedAt = 0;
  /** First packet left out since the viewer waits for a keyframe; null if it never had the picture before. */
  #skippedFrom: number | null = null;
  #lastTimestamp: number | null = null;
  readonly #pace = new SinkPace();
  #warp: TimeWarp | null = null;
  readonly #repeats = new KeyframeRepeats();

  constructor(track: SinkTrack, transport: PacketOutlet, options: SinkOptions, firstSequence: number) {
    this.#track = track;
    this.#transport = transport;
    this.#options = options;
    this.#map = new SequenceMap(firstSequence);
  }

  get stats(): SinkStats {
    return {
      packets: this.#packets,
      octets: this.#octets,
      retransmitted: this.#retransmitted,
      retransmittedOctets: this.#retransmittedOctets,
      retransmitsRefused: this.#retransmitsRefused,
      skippedFrames: this.#skippedFrames,
      lastTimestamp: this.#lastTimestamp,
    };
  }

  get started(): boolean {
    return this.#state === 'live' || this.#state === 'catching-up';
  }

  get catchingUp(): boolean {
    return this.#state === 'catching-up';
  }

  get startedMs(): number {
    return this.#repeats.startedMs;
  }

  /** How many of the kept packets it may get now. */
  portion(nowMs: number): number {
    return this.#pace.portion(nowMs);
  }

  get timestampOffset(): number {
    return this.#offset;
  }

  get moving(): boolean {
    return this.#next !== null;
  }

  start(sequence: number, preface: readonly Buffer[] = []): void {
    this.#takeNext();
    this.#begin(sequence, preface);
  }

  startAtNext(): void {
    this.#takeNext();
    this.#repeats.wait();
    this.#state = 'waiting';
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    const { keyframe, preface } = this.#track;
    if (this.#state !== 'waiting' || keyframe === null) return;
    if (this.#repeats.isDue(keyframe, nowMs)) this.#begin(keyframe, preface);
  }

  pause(): void {
    // Changing to another layer: if nothing is sent, the change is immediate.
    this.#takeNext();
    this.#state = 'paused';
  }

  moveTo(track: SinkTrack, lead: () => number | null): void {
    if (this.#next !== null) this.#next.track.remove(this);
    this.#next = null;
    if (track === this.#track) return;
    this.#next = { track, lead };
    track.add(this);
    if (!this.started) this.#takeNext();
  }

  /** A packet was written; `newest` if it is the head. */
  offer(track: SinkTrack, packet: TrackPacket, newest: boolean): void {
    if (track !== this.#track) return;
    if (this.#state === 'waiting') {
      if (this.#track.kind === 'audio' && newest) this.#begin(packet.sequence);
      return;
    }
    if (this.#state === 'catching-up') {
      if (packet.sequence < this.#cursor) this.#send(packet);
      return;
    }
    if (this.#state !== 'live') return;
    if (newest && this.#transport.blocked) {
      this.#state = 'catching-up';
      this.#blocked = true;
      this.#cursor = packet.sequence;
      this.#track.wake();
      return;
    }
    this.#send(packet);
  }

  /** A keyframe begins at `sequence`. */
  keyframe(track: SinkTrack, sequence: number): void {
    if (track === this.#next?.track) {
      this.#takeNext();
      this.#state = 'waiting';
    }
    if (track !== this.#track) return;
    if (this.#state === 'waiting' && this.#track.kind === 'video') this.#begin(sequence, this.#track.preface);
  }

  /** Sends at most `limit` of the kept packets. */
  pump(limit: number): void {
    if (this.#state !== 'catching-up') return;
    const { ring } = this.#track;
    if (this.#transport.blocked) this.#blocked = true;
    if (this.#cursor < ring.tail || this.#blocked) this.#skip();
    if (this.#state !== 'catching-up' || this.#transport.blocked) return;
    const head = ring.head ?? this.#cursor - 1;
    let sent = 0;
    for (; sent < limit && this.#cursor <= head; this.#cursor++) {
      const packet = ring.get(this.#cursor);
      if (packet === null) continue;
      this.#send(packet);
      sent++;
    }
    this.#pace.sent(sent);
    if (this.#cursor > head) {
      this.#pace.end();
      this.#state = 'live';
      this.#blocked = false;
    }
  }

  retransmit(lost: readonly number[], rttMs = 0, hasty = false): boolean {
    const nowMs = performance.now();
    const pauseMs = Math.max(LEAST_PAUSE_MS, rttMs);
    const twice = hasty && this.#state === 'live' && lost.length <= FEW_PACKETS;
    let complete = true;
    const { ring } = this.#track;
    for (const sequence of lost.slice(0, this.#budget.answer(lost.length))) {
      const viewer = extendSequence(sequence, this.#map.next);
      if (viewer < this.#firstOfLayer) {
        this.#retransmitsRefused++;
        continue;
      }
      const wanted = this.#map.toTrack(viewer);
      const packet = wanted === null ? null : ring.get(wanted);
      const onItsWay = this.#repeated.isRecent(viewer, pauseMs, nowMs);
      // A packet that never arrived is being requested from the publisher; every viewer gets it when it comes.
      if (packet === null && wanted !== null && wanted >= ring.tail) continue;
      if (packet === null) {
        complete = false;
      } else if (onItsWay || packet.sequence < this.#startedAt) {
        this.#retransmitsRefused++;
      } else if (!this.#budget.spend(packet.payload.length)) {
        this.#retransmitsRefused++;
        this.#giveUpPicture();
        complete = false;
      } else {
        this.#repeat(packet, viewer, twice, nowMs);
      }
    }
    return complete;
  }

  [Symbol.dispose](): void {
    this.#state = 'paused';
    this.#next?.track.remove(this);
    this.#next = null;
    this.#repeated.clear();
    this.#track.remove(this);
  }

  #begin(sequence: number, preface: readonly Buffer[] = []): void {
    const first = this.#track.ring.get(sequence);
    if (first !== null) this.#align(first.timestamp);
    this.#warp = this.#warpFrom(first);
    const timestamp = first === null ? (this.#lastTimestamp ?? 0) : this.#timestampOf(first);
    for (const payload of preface) this.#sendExtra(payload, timestamp >>> 0);
    this.#map.continueAt(sequence);
    if (this.#skippedFrom !== null) this.#skippedFrames += this.#framesBetween(this.#skippedFrom, sequence);
    this.#skippedFrom = null;
    this.#startedAt = sequence;
    this.#repeats.started((this.#track.ring.head ?? sequence) - sequence, performance.now());
    this.#cursor = sequence;
    this.#state = 'catching-up';
    this.#track.wake();
  }

  #warpFrom(first: TrackPacket | null): TimeWarp | null {
    const { ring, kind } = this.#track;
    const newest = ring.head === null ? null : ring.get(ring.head);
    if (first === null || newest === null || kind !== 'video') return null;
    return warpOf(first, newest, this.#offset, this.#lastTimestamp);
  }

  #timestampOf({ sequence, timestamp }: TrackPacket): number {
    const warp = this.#warp;
    return warp !== null && sequence <= warp.until
      ? warped(warp, timestamp)
      : (timestamp + this.#offset) >>> 0;
  }

  /** From here on everything belongs to the other layer; the viewer's numbers and time continue. */
  #takeNext(): void {
    if (this.#next === null) return;
    const before = this.#moved === null ? 0 : this.#moved.lead;
    const lead = this.#next.lead();
    this.#moved = { lead: before === null || lead === null ? null : before + lead };
    this.#track.remove(this);
    this.#track = this.#next.track;
    this.#next = null;
    this.#skippedFrom = null;
    this.#repeats.forget();
  }

  /** Puts the layer that begins with `first` behind the times that the viewer has. */
  #align(first: number): void {
    if (this.#moved === null) return;
    const { lead } = this.#moved;
    this.#moved = null;
    this.#firstOfLayer = this.#map.next;
    const last = this.#lastTimestamp;
    if (last === null) {
      this.#offset = 0;
      return;
    }
    const next = (last + LAYER_STEP) >>> 0;
    this.#offset = lead === null ? next - first : this.#offset + lead;
    const late = timestampDistance((first + this.#offset) >>> 0, next);
    if (late > 0) this.#offset += late;
  }

  /** A packet that is requested once more although it was repeated was lost twice: it is sent twice this time. */
  #repeat(packet: TrackPacket, viewer: number, twice: boolean, nowMs: number): void {
    const insistent = this.#repeated.has(viewer);
    this.#repeated.note(viewer, nowMs);
    this.#sendAgain(packet, viewer);
    if ((insistent || twice) && this.#budget.spendSpare(packet.payload.length))
      this.#sendAgain(packet, viewer);
  }

  #sendAgain(packet: TrackPacket, viewer: number): void {
    this.#retransmitted++;
    this.#retransmittedOctets += packet.payload.length;
    const { repair } = this.#options;
    if (repair === undefined || repair === null) {
      this.#transmit(packet, viewer);
      return;
    }
    // In a stream of its own a packet carries its number before the payload (RFC 4588, section 4).
    const original = Buffer.alloc(2);
    original.writeUInt16BE(viewer & 0xffff);
    const { marker } = packet;
    const timestamp = this.#timestampOf(packet);
    const payload = Buffer.concat([original, packet.payload]);
    this.#transport.sendRtp({ ...repair, marker, timestamp }, this.#repairSequence++, payload);
  }

  /**
   * A loss that cannot be repaired makes the rest of its pictures useless: the path is left free until the next keyframe. If the publisher
   * makes none meanwhile, the remembered one is sent once more, at a slower pace.
   */
  #giveUpPicture(): void {
    if (this.#track.kind !== 'video' || !this.started || this.#options.steady === true) return;
    this.#skippedFrom = this.#state === 'live' ? (this.#track.ring.head ?? this.#cursor) + 1 : this.#cursor;
    this.#repeats.lost(this.#track.keyframe, performance.now());
    this.#pace.giveUp();
    this.#state = 'waiting';
  }

  /** Continues at the newest keyframe, or waits for the next one: never a torn picture. */
  #skip(): void {
    const { ring, kind, keyframe } = this.#track;
    const target = kind === 'audio' ? ring.head : keyframe;
    if (target !== null && target > this.#cursor) {
      this.#skippedFrames += this.#framesBetween(this.#cursor, target);
      this.#begin(target, kind === 'video' ? this.#track.preface : []);
      this.#blocked = false;
    } else if (this.#cursor < ring.tail) {
      this.#state = 'waiting';
    }
  }

  #framesBetween(from: number, to: number): number {
    const timestamps = new Set<number>();
    for (let sequence = Math.max(from, this.#track.ring.tail); sequence < to; sequence++) {
      const packet = this.#track.ring.get(sequence);
      if (packet !== null) timestamps.add(packet.timestamp);
    }
    return timestamps.size;
  }

  #send(packet: TrackPacket): void {
    const viewer = this.#map.toViewer(packet.sequence);
    if (viewer === null) return;
    const timestamp = this.#timestampOf(packet);
    const last = this.#lastTimestamp;
    if (last === null || timestampDistance(last, timestamp) > 0) this.#lastTimestamp = timestamp;
    this.#budget.earn(packet.payload.length, performance.now());
    this.#transmit(packet, viewer);
  }

  #sendExtra(payload: Buffer, timestamp: number): void {
    const viewer = this.#map.takeExtra();
    this.#transmit({ sequence: 0, timestamp, marker: false, payload }, viewer, timestamp);
  }

  #transmit(packet: TrackPacket, viewer: number, timestamp = this.#timestampOf(packet)): void {
    this.#packets++;
    this.#octets += packet.payload.length;
    this.#transport.sendRtp(
      {
        ssrc: this.#options.ssrc,
        payloadType: this.#options.payloadType,
        marker: packet.marker,
        timestamp,
      },
      viewer,
      packet.payload,
    );
  }
}
