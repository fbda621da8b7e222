import { SequenceUnwrapper, sequenceDistance, timestampDistance } from './sequence.ts';

/** Jumps beyond this many packets within one SSRC mean that the source started again. */
const MAX_JUMP = 3000;
/** A frame may be this much older than the one before it: frames are sent in decoding order. */
const MAX_BACK_S = 1;
/** … and this much younger than the time between their arrivals. Beyond, the source's time line has a step. */
const MAX_AHEAD_S = 3;
/** A sender report whose time is further than this from that of the packets belongs to another time line. */
const MAX_REPORT_S = 8;
/** Packets that were split, or time lines that ended, which late packets may still belong to. */
const REMEMBERED_SPANS = 1024;
const REMEMBERED_LINES = 4;

/** The place of a packet in the feed. */
export interface NormalizedPosition {
  /** Extended sequence number in the feed's own space. */
  readonly sequence: number;
  /** 32-bit timestamp in the feed's own space. */
  readonly timestamp: number;
  /** True for the first packet of a new source. */
  readonly restarted: boolean;
  /** The source's timestamps certainly made a step with this packet: its earlier reports are void. */
  readonly stepped: boolean;
  /** The packet is ahead of all before it; false if it is late, or sent again. */
  readonly newest: boolean;
}

/** One run of a source's timestamps: `offset` is added to them, `newest` was the last one, at `atMs`. */
interface Line {
  readonly offset: number;
  newest: number;
  atMs: number;
}

interface Source {
  readonly ssrc: number;
  readonly unwrapper: SequenceUnwrapper;
  /** What is added to the source's extended numbers from `from` on, oldest first. */
  readonly spans: { readonly from: number; readonly offset: number }[];
  line: Line;
  /** The line that a single frame left so far: the next frame shows whether that one was astray. */
  former: Line | null;
  /** Offsets of lines that ended. */
  readonly earlier: number[];
}

/**
 * Turns the packets of successive sources (a publisher that reconnects, an ffmpeg that restarts) into one stream whose sequence
 * numbers and timestamps continue, so that viewers need no renegotiation.
 * One instance per track.
 */
export class StreamNormalizer {
  readonly #clockRate: number;
  #source: Source | null = null;
  #highest: number;
  #lastTimestamp: number;
  #lastAtMs: number | null = null;
  /** Usual distance of two frames. */
  #frameTicks: number;

  /** Starts at the given position; random ones are usual (RFC 3550, section 5.1). */
  constructor(clockRate: number, start: { sequence: number; timestamp: number }) {
    this.#clockRate = clockRate;
    this.#highest = start.sequence - 1;
    this.#lastTimestamp = start.timestamp;
    this.#frameTicks = Math.round(clockRate / 30);
  }

  /** True if `place` would take this packet as a new source's first. */
  startsSource(ssrc: number, sequence: number): boolean {
    return this.#source === null || this.#source.ssrc !== ssrc || this.#jumped(this.#source, sequence);
  }

  /** Place of a packet; null if it is too old to be placed. */
  place(ssrc: number, sequence: number, timestamp: number, nowMs: number): NormalizedPosition | null {
    let source = this.#source;
    let restarted = false;
    if (source === null || this.startsSource(ssrc, sequence)) {
      source = this.#rebase(ssrc, sequence, timestamp, nowMs);
      restarted = true;
    }
    const extended = source.unwrapper.unwrap(sequence);
    const span = source.spans.findLast(({ from }) => from <= extended);
    if (span === undefined) return null;
    const placed = extended + span.offset;
    if (placed <= this.#highest) {
      const late = this.#timestampOfLate(source, timestamp);
      return { sequence: placed, timestamp: late, restarted, stepped: false, newest: false };
    }
    const stepped = this.#followLine(source, timestamp, nowMs);
    const shifted = (timestamp + source.line.offset) >>> 0;
    this.#highest = placed;
    this.#lastTimestamp = shifted;
    this.#lastAtMs = nowMs;
    return { sequence: placed, timestamp: shifted, restarted, stepped, newest: true };
  }

  /** The last placed packet, the newest one, was split into `extra` more: those after it move on. */
  insert(extra: number): void {
    const source = this.#source;
    if (source === null || extra === 0) return;
    this.#highest += extra;
    const offset = (source.spans.at(-1)?.offset ?? 0) + extra;
    source.spans.push({ from: (source.unwrapper.highest ?? 0) + 1, offset });
    if (source.spans.length > REMEMBERED_SPANS) source.spans.shift();
  }

  /** The feed's timestamp of a source's timestamp; null if it does not belong to the current source and its time line. */
  timestampOf(ssrc: number, timestamp: number, nowMs: number): number | null {
    const source = this.#source;
    if (source === null || source.ssrc !== ssrc) return null;
    const elapsed = this.#ticks(nowMs - source.line.atMs);
    const ahead = timestampDistance(source.line.newest, timestamp);
    if (Math.abs(ahead - elapsed) > MAX_REPORT_S * this.#clockRate) return null;
    return (timestamp + source.line.offset) >>> 0;
  }

  /** Forces the next packet to count as a new source's first, even with the old SSRC. */
  endSource(): void {
    this.#source = null;
  }

  #jumped(source: Source, sequence: number): boolean {
    const highest = source.unwrapper.highest;
    if (highest === null) return false;
    return Math.abs(sequenceDistance(highest & 0xffff, sequence)) > MAX_JUMP;
  }

  /**
   * Chooses the line that a timestamp belongs to. One off the line opens another, so that its frame follows directly on the
   * last; that line ends again if the next frame is back on the first. True if the step is proven by its second frame.
   */
  #followLine(source: Source, timestamp: number, nowMs: number): boolean {
    const { line, former } = source;
    const ahead = timestampDistance(line.newest, timestamp);
    if (this.#isOn(line, timestamp, nowMs)) {
      if (ahead > 0 && former === null) this.#frameTicks = ahead;
      line.newest = timestamp;
      line.atMs = nowMs;
      if (former === null || ahead === 0) return false;
      source.former = null;
      source.earlier.push(former.offset);
      if (source.earlier.length > REMEMBERED_LINES) source.earlier.shift();
      return true;
    }
    if (former !== null && this.#isOn(former, timestamp, nowMs)) {
      source.earlier.push(line.offset);
      if (source.earlier.length > REMEMBERED_LINES) source.earlier.shift();
      source.line = { offset: former.offset, newest: timestamp, atMs: nowMs };
      source.former = null;
      return false;
    }
    const next = (this.#lastTimestamp + this.#stepTicks(nowMs)) >>> 0;
    source.former ??= line;
    source.line = { offset: (next - timestamp) | 0, newest: timestamp, atMs: nowMs };
    return false;
  }

  #isOn(line: Line, timestamp: number, nowMs: number): boolean {
    const ahead = timestampDistance(line.newest, timestamp);
    if (ahead < 0) return ahead >= -MAX_BACK_S * this.#clockRate;
    return ahead <= this.#ticks(nowMs - line.atMs) + MAX_AHEAD_S * this.#clockRate;
  }

  /** From the last frame to one off the line: the elapsed time if there was a pause, otherwise at most a frame's. */
  #stepTicks(nowMs: number): number {
    const elapsed = this.#ticks(nowMs - (this.#lastAtMs ?? nowMs));
    return Math.max(1, elapsed > this.#clockRate ? elapsed : Math.min(elapsed, this.#frameTicks));
  }

  /** Of the possible lines, the one on which it is nearest to what is sent now. */
  #timestampOfLate(source: Source, timestamp: number): number {
    let best = (timestamp + source.line.offset) >>> 0;
    const others = source.former === null ? source.earlier : [...source.earlier, source.former.offset];
    for (const offset of others) {
      const shifted = (timestamp + offset) >>> 0;
      const nearer =
        Math.abs(timestampDistance(this.#lastTimestamp, shifted)) <
        Math.abs(timestampDistance(this.#lastTimestamp, best));
      if (nearer) best = shifted;
    }
    return best;
  }

  #ticks(ms: number): number {
    return Math.round((ms * this.#clockRate) / 1000);
  }

  #rebase(ssrc: number, sequence: number, timestamp: number, nowMs: number): Source {
    const elapsedMs = this.#lastAtMs === null ? 0 : Math.max(1, nowMs - this.#lastAtMs);
    const resumed = (this.#lastTimestamp + this.#ticks(elapsedMs)) >>> 0;
    const first = 0x10000 + sequence;
    this.#source = {
      ssrc,
      unwrapper: new SequenceUnwrapper(),
      spans: [{ from: first, offset: this.#highest + 1 - first }],
      line: { offset: (resumed - timestamp) | 0, newest: timestamp, atMs: nowMs },
      former: null,
      earlier: [],
    };
    return this.#source;
  }
}
