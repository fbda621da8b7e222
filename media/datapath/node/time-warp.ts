import { timestampDistance } from '../../rtp/sequence.ts';
import type { TrackPacket } from '../datapath.ts';

/** Pictures before the live one take this long on the viewer's clock, however many there are: a fifth of a second. */
const WARPED_TICKS = 90_000 / 5;
/** The same if the viewer saw the newest picture already: less than from one picture to the next. */
const AGAIN_TICKS = 90_000 / 60;

/** Pictures from before the join are shown as fast as they can be decoded: `span` ticks of the track become `window` ticks of the viewer. */
export interface TimeWarp {
  /** The last packet that it affects. */
  readonly until: number;
  readonly from: number;
  readonly span: number;
  readonly to: number;
  readonly window: number;
}

/**
 * What a start with `first` does to the times; null if nothing. `offset` is the viewer's times minus those of the track, and `last` the
 * newest that it has.
 */
export function warpOf(
  first: TrackPacket,
  newest: TrackPacket,
  offset: number,
  last: number | null,
): TimeWarp | null {
  const span = Math.max(1, timestampDistance(first.timestamp, newest.timestamp));
  const common = { until: newest.sequence, from: first.timestamp, span };
  // Time never runs backwards for a viewer: repeated pictures fit in before the next one.
  const again = last !== null && timestampDistance(last, (first.timestamp + offset) >>> 0) <= 0;
  if (again) return { ...common, to: last + 1, window: Math.min(span, AGAIN_TICKS) };
  if (span <= WARPED_TICKS) return null;
  return { ...common, to: newest.timestamp + offset - WARPED_TICKS, window: WARPED_TICKS };
}

/** The time of one of its packets. */
export function warped(warp: TimeWarp, timestamp: number): number {
  const since = Math.max(0, timestampDistance(warp.from, timestamp));
  return (warp.to + Math.floor((since * warp.window) / warp.span)) >>> 0;
}
