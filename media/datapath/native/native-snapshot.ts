import type { SinkStats } from '../datapath.ts';
import type { Handle, NativeBinding } from './native-binding.ts';

/** Shared with `src/snapshot.h`. */
const HEAD = 10;
const widths = { sessions: 4, tracks: 8, sources: 5, sinks: 9 } as const;
type RowKind = keyof typeof widths;
const kinds = Object.keys(widths) as RowKind[];

/** Read again only after this time: many objects ask at once. */
const FRESH_MS = 20;

/** A session's figures. */
export interface SessionRow {
  readonly lastHeardMs: number | null;
  readonly quiet: boolean;
  readonly gone: boolean;
}

/** A track's figures. */
export interface TrackRow {
  readonly frames: number;
  readonly octets: number;
  readonly lastFrameMs: number | null;
  readonly keyframeMs: number | null;
  readonly hasKeyframe: boolean;
  readonly ringBytes: number;
  readonly reorders: boolean;
}

/** A source's figures. */
export interface SourceRow {
  readonly lastPacketMs: number | null;
  readonly packetsLost: number;
  readonly packetsExpected: number;
  readonly captureDelayMs: number | null;
}

/** A sink's figures. */
export interface SinkRow extends Omit<SinkStats, 'lastTimestamp'> {
  readonly lossRatio: number | null;
  readonly rttMs: number | null;
}

/** Counters of the whole datapath. */
export interface NativeCounters {
  readonly datagramsIn: number;
  readonly datagramsOut: number;
  readonly datagramsRefused: number;
  readonly sendErrors: number;
  readonly eventsDropped: number;
}

/** Statistics of the native datapath. Its thread publishes them ten times a second as one row of numbers. */
export class NativeSnapshot {
  readonly #binding: NativeBinding;
  /** How far the thread's clock is ahead of performance.now(). */
  readonly #clockAheadMs: number;
  #numbers = new Float64Array(256);
  #rows: Record<RowKind, Map<Handle, number>> = emptyRows();
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(binding: NativeBinding) {
    this.#binding = binding;
    this.#clockAheadMs = binding.now() - performance.now();
  }

  get counters(): NativeCounters {
    this.#refresh();
    const [datagramsIn, datagramsOut, datagramsRefused, sendErrors, eventsDropped] = [5, 6, 7, 8, 9].map(
      (i) => this.#at(i),
    ) as [number, number, number, number, number];
    return { datagramsIn, datagramsOut, datagramsRefused, sendErrors, eventsDropped };
  }

  /** Null before the object's first appearance. */
  session(handle: Handle): SessionRow | null {
    const row = this.#find('sessions', handle);
    if (row === null) return null;
    return {
      lastHeardMs: this.#time(row + 1),
      quiet: this.#at(row + 2) === 1,
      gone: this.#at(row + 3) === 1,
    };
  }

  track(handle: Handle): TrackRow | null {
    const row = this.#find('tracks', handle);
    if (row === null) return null;
    return {
      frames: this.#at(row + 1),
      octets: this.#at(row + 2),
      lastFrameMs: this.#time(row + 3),
      keyframeMs: this.#time(row + 4),
      hasKeyframe: this.#at(row + 5) === 1,
      ringBytes: this.#at(row + 6),
      reorders: this.#at(row + 7) === 1,
    };
  }

  source(handle: Handle): SourceRow | null {
    const row = this.#find('sources', handle);
    if (row === null) return null;
    const delay = this.#at(row + 3);
    return {
      lastPacketMs: this.#time(row + 1),
      packetsLost: this.#at(row + 2),
      packetsExpected: this.#at(row + 4),
      captureDelayMs: Number.isNaN(delay) ? null : delay,
    };
  }

  sink(handle: Handle): SinkRow | null {
    const row = this.#find('sinks', handle);
    if (row === null) return null;
    const [lossRatio, rttMs] = [this.#at(row + 7), this.#at(row + 8)];
    return {
      packets: this.#at(row + 1),
      octets: this.#at(row + 2),
      retransmitted: this.#at(row + 3),
      retransmittedOctets: this.#at(row + 4),
      retransmitsRefused: this.#at(row + 5),
      skippedFrames: this.#at(row + 6),
      lossRatio: lossRatio < 0 ? null : lossRatio,
      rttMs: rttMs < 0 ? null : rttMs,
    };
  }

  #find(kind: RowKind, handle: Handle): number | null {
    this.#refresh();
    return this.#rows[kind].get(handle) ?? null;
  }

  #at(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  /** A time of the thread's clock as performance.now() counts; null for "never". */
  #time(index: number): number | null {
    const ms = this.#at(index);
    return ms < 0 ? null : ms - this.#clockAheadMs;
  }

  #refresh(): void {
    const nowMs = performance.now();
    if (nowMs - this.#readMs < FRESH_MS) return;
    this.#readMs = nowMs;
    let length = this.#binding.snapshot(this.#numbers);
    while (length > this.#numbers.length) {
      this.#numbers = new Float64Array(length * 2);
      length = this.#binding.snapshot(this.#numbers);
    }
    if (length < HEAD) return;
    this.#rows = emptyRows();
    let at = HEAD;
    kinds.forEach((kind, i) => {
      for (let n = this.#at(1 + i); n > 0; n--, at += widths[kind]) this.#rows[kind].set(this.#at(at), at);
    });
  }
}

function emptyRows(): Record<RowKind, Map<Handle, number>> {
  return { sessions: new Map(), tracks: new Map(), sources: new Map(), sinks: new Map() };
}
