/** One viewer's cursor into a track. */

import { extendSequence } from '../../rtp/sequence.ts';
import type { PacketOutlet, SinkOptions, SinkStats, TrackPacket, TrackSink } from '../datapath.ts';
import type { PacketRing } from './packet-ring.ts';
import { RepairBudget } from './repair-budget.ts';
import { SequenceMap } from './sequence-map.ts';

/** A packet is not sent again within a round trip, and this at least: its first repetition is still under way. */
const LEAST_PAUSE_MS = 15;
const RETRANSMIT_MEMORY = 1024;

type SinkState = 'paused' | 'waiting' | 'catching-up' | 'live';

/** What a sink needs of the relay it belongs to. */
export interface SinkTrack {
  readonly kind: 'video' | 'audio';
  readonly ring: PacketRing;
  readonly keyframe: number | null;
  readonly preface: readonly Buffer[];
  /** The sink wants to be pumped. */
  wake(): void;
  remove(sink: NodeSink): void;
}

/** See the head of this file. */
export class NodeSink implements TrackSink {
  readonly #track: SinkTrack;
  readonly #transport: PacketOutlet;
  readonly #options: SinkOptions;
  readonly #map: SequenceMap;
  readonly #repeated = new Map<number, number>();
  readonly #budget = new RepairBudget();
  #state: SinkState = 'paused';
  #cursor = 0;
  #blocked = false;
  #packets = 0;
  #octets = 0;
  #retransmitted = 0;
  #retransmittedOctets = 0;
  #retransmitsRefused = 0;
  #skippedFrames = 0;
  /** Where the viewer started last: what came before it needs no more. */
  #startedAt = 0;
  /** First packet left out since the viewer waits for a keyframe; null where it never had the picture before. */
  #skippedFrom: number | null = null;
  #lastTimestamp: number | null = null;

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

  start(sequence: number, preface: readonly Buffer[] = []): void {
    const first = this.#track.ring.get(sequence);
    for (const payload of preface) this.#sendExtra(payload, first?.timestamp ?? this.#lastTimestamp ?? 0);
    this.#map.continueAt(sequence);
    if (this.#skippedFrom !== null) this.#skippedFrames += this.#framesBetween(this.#skippedFrom, sequence);
    this.#skippedFrom = null;
    this.#startedAt = sequence;
    this.#cursor = sequence;
    this.#state = 'catching-up';
    this.#track.wake();
  }

  startAtNext(): void {
    this.#state = 'waiting';
  }

  pause(): void {
    this.#state = 'paused';
  }

  /** A packet was written; `newest` where it is the head. */
  offer(packet: TrackPacket, newest: boolean): void {
    if (this.#state === 'waiting') {
      if (this.#track.kind === 'audio' && newest) this.start(packet.sequence);
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
  keyframe(sequence: number): void {
    if (this.#state === 'waiting' && this.#track.kind === 'video') this.start(sequence, this.#track.preface);
  }

  /** Sends at most `limit` packets of what is remembered. */
  pump(limit: number): void {
    if (this.#state !== 'catching-up') return;
    const { ring } = this.#track;
    if (this.#transport.blocked) this.#blocked = true;
    if (this.#cursor < ring.tail || this.#blocked) this.#skip();
    if (this.#state !== 'catching-up' || this.#transport.blocked) return;
    const head = ring.head ?? this.#cursor - 1;
    for (let sent = 0; sent < limit && this.#cursor <= head; this.#cursor++) {
      const packet = ring.get(this.#cursor);
      if (packet === null) continue;
      this.#send(packet);
      sent++;
    }
    if (this.#cursor > head) {
      this.#state = 'live';
      this.#blocked = false;
    }
  }

  retransmit(lost: readonly number[], rttMs = 0): boolean {
    const nowMs = performance.now();
    const pauseMs = Math.max(LEAST_PAUSE_MS, rttMs);
    let complete = true;
    const { ring } = this.#track;
    for (const sequence of lost.slice(0, this.#budget.answer(lost.length))) {
      const viewer = extendSequence(sequence, this.#map.next);
      const wanted = this.#map.toTrack(viewer);
      const packet = wanted === null ? null : ring.get(wanted);
      const onItsWay = nowMs - (this.#repeated.get(viewer) ?? Number.NEGATIVE_INFINITY) < pauseMs;
      // What never came in is being asked for at the publisher; it goes on to everybody when it comes.
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
        this.#repeat(packet, viewer, nowMs);
      }
    }
    return complete;
  }

  [Symbol.dispose](): void {
    this.#state = 'paused';
    this.#repeated.clear();
    this.#track.remove(this);
  }

  #repeat(packet: TrackPacket, viewer: number, nowMs: number): void {
    this.#noteRepetition(viewer, nowMs);
    this.#retransmitted++;
    this.#retransmittedOctets += packet.payload.length;
    this.#transmit(packet, viewer);
  }

  /** What cannot be mended leaves the rest of its pictures without use: the way is left free until the next keyframe. */
  #giveUpPicture(): void {
    if (this.#track.kind !== 'video' || !this.started || this.#options.steady === true) return;
    this.#skippedFrom = this.#state === 'live' ? (this.#track.ring.head ?? this.#cursor) + 1 : this.#cursor;
    this.#state = 'waiting';
  }

  /** Goes on at the newest keyframe, or waits for the next one: never a torn picture. */
  #skip(): void {
    const { ring, kind, keyframe } = this.#track;
    const target = kind === 'audio' ? ring.head : keyframe;
    if (target !== null && target > this.#cursor) {
      this.#skippedFrames += this.#framesBetween(this.#cursor, target);
      this.start(target, kind === 'video' ? this.#track.preface : []);
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
    this.#lastTimestamp = packet.timestamp;
    this.#budget.earn(packet.payload.length, performance.now());
    this.#transmit(packet, viewer);
  }

  #sendExtra(payload: Buffer, timestamp: number): void {
    this.#transmit({ sequence: 0, timestamp, marker: false, payload }, this.#map.takeExtra());
  }

  #transmit(packet: TrackPacket, viewer: number): void {
    this.#packets++;
    this.#octets += packet.payload.length;
    this.#transport.sendRtp(
      {
        ssrc: this.#options.ssrc,
        payloadType: this.#options.payloadType,
        marker: packet.marker,
        timestamp: packet.timestamp,
      },
      viewer,
      packet.payload,
    );
  }

  #noteRepetition(viewer: number, nowMs: number): void {
    this.#repeated.delete(viewer);
    this.#repeated.set(viewer, nowMs);
    if (this.#repeated.size <= RETRANSMIT_MEMORY) return;
    const oldest = this.#repeated.keys().next().value;
    if (oldest !== undefined) this.#repeated.delete(oldest);
  }
}
