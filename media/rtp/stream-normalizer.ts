/**
 * Turns the packets of successive sources (a publisher that reconnects, an ffmpeg that restarts) into one stream whose
 * sequence numbers and timestamps go on, so that viewers need no renegotiation.
 */
import { SequenceUnwrapper, sequenceDistance } from './sequence.ts';

/** Jumps beyond this many packets within one SSRC mean that the source started anew. */
const MAX_JUMP = 3000;

export interface NormalizedPosition {
  /** Extended sequence number in the feed's own space. */
  readonly sequence: number;
  /** 32-bit timestamp in the feed's own space. */
  readonly timestamp: number;
  /** True for the first packet of a new source. */
  readonly restarted: boolean;
}

interface Source {
  readonly ssrc: number;
  readonly unwrapper: SequenceUnwrapper;
  readonly timestampOffset: number;
  /** Added to the source's extended numbers. */
  offset: number;
  /** Source numbers below this lie before an insertion and can no longer be placed. */
  floor: number;
}

export class StreamNormalizer {
  readonly #clockRate: number;
  #source: Source | null = null;
  #highest: number;
  #lastTimestamp: number;
  #lastAtMs: number | null = null;

  /** Starts at the given position; random ones are usual (RFC 3550, section 5.1). */
  constructor(clockRate: number, start: { sequence: number; timestamp: number }) {
    this.#clockRate = clockRate;
    this.#highest = start.sequence - 1;
    this.#lastTimestamp = start.timestamp;
  }

  /** True where `place` would take this packet as a new source's first. */
  startsSource(ssrc: number, sequence: number): boolean {
    return this.#source === null || this.#source.ssrc !== ssrc || this.#jumped(this.#source, sequence);
  }

  /** Place of a packet; null where it is too old to be placed. */
  place(ssrc: number, sequence: number, timestamp: number, nowMs: number): NormalizedPosition | null {
    let source = this.#source;
    let restarted = false;
    if (source === null || this.startsSource(ssrc, sequence)) {
      source = this.#rebase(ssrc, sequence, timestamp, nowMs);
      restarted = true;
    }
    const extended = source.unwrapper.unwrap(sequence);
    if (extended < source.floor) return null;
    const placed = extended + source.offset;
    const shifted = (timestamp + source.timestampOffset) >>> 0;
    if (placed > this.#highest) {
      this.#highest = placed;
      this.#lastTimestamp = shifted;
      this.#lastAtMs = nowMs;
    }
    return { sequence: placed, timestamp: shifted, restarted };
  }

  /** The last placed packet became `extra` more: later ones move behind them, earlier ones are refused from now on. */
  insert(extra: number): void {
    if (this.#source === null || extra === 0) return;
    this.#highest += extra;
    this.#source.offset += extra;
    this.#source.floor = (this.#source.unwrapper.highest ?? 0) + 1;
  }

  /** The feed's timestamp of a source's timestamp; null where that source is not the current one. */
  timestampOf(ssrc: number, timestamp: number): number | null {
    if (this.#source === null || this.#source.ssrc !== ssrc) return null;
    return (timestamp + this.#source.timestampOffset) >>> 0;
  }

  /** Forces the next packet to be taken as a new source's first, also where it carries the old SSRC. */
  endSource(): void {
    this.#source = null;
  }

  #jumped(source: Source, sequence: number): boolean {
    const highest = source.unwrapper.highest;
    if (highest === null) return false;
    return Math.abs(sequenceDistance(highest & 0xffff, sequence)) > MAX_JUMP;
  }

  #rebase(ssrc: number, sequence: number, timestamp: number, nowMs: number): Source {
    const elapsedMs = this.#lastAtMs === null ? 0 : Math.max(1, nowMs - this.#lastAtMs);
    const resumed = (this.#lastTimestamp + Math.round((elapsedMs * this.#clockRate) / 1000)) >>> 0;
    const first = 0x10000 + sequence;
    this.#source = {
      ssrc,
      unwrapper: new SequenceUnwrapper(),
      timestampOffset: (resumed - timestamp) | 0,
      offset: this.#highest + 1 - first,
      floor: first,
    };
    return this.#source;
  }
}
