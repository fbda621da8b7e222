import { frameNumberCycle, frameNumberOf } from '../../capture/frame-number.ts';
import type { SensorTick } from '../../capture/sensor-clock.ts';
import { missingBetween } from '../segment/dropped-frames.ts';

/** In each stretch of this length the quickest delivery shows the relation of the sensor's clock and the machine's. */
const stretchMs = 30_000;
/** By how much a delivery may seem to come after the arrival it led to: none is quicker than the quickest that was seen. */
const earlyS = 0.1;
/** Frames that were on their way for longer cannot be distinguished from those a whole cycle of numbers away. */
const longestDelayPeriods = frameNumberCycle * 0.75;

/** A frame that the camera delivered. */
export interface DeliveredFrame {
  /** Wall clock, in seconds since 1970. */
  readonly takenS: number;
  /** Counts the frames of its pipeline. */
  readonly number: number;
}

/** A frame that arrived: its timestamp contains its number (frame-number.ts). */
export interface ArrivedFrame {
  /** Wall clock, in seconds since 1970. */
  readonly atS: number;
  /** Timestamp in 90 kHz; null if the frame was not captured with it. */
  readonly pts: number | null;
}

/** When the frames of a segment were taken, by the sensor's clock. */
export interface MatchedFrames {
  /** Seconds since 1970; null if none of the delivered frames is this one. */
  readonly takenS: readonly (number | null)[];
  /** Frames between the first and the last that the camera never delivered. */
  readonly skipped: number;
}

/**
 * All frames that a camera delivered, in order: spaced as its sensor took them, and as late as the quickest of them were
 * delivered. What arrived twice counts once. Pure.
 */
export function deliveredFrames(ticks: readonly SensorTick[]): DeliveredFrame[] {
  return pipelinesOf(ticks).flatMap((pipeline) => {
    const offsetMs = offsetsOf(pipeline);
    if (offsetMs === undefined) return [];
    return pipeline.map(({ timeMs, number }) => ({ takenS: (timeMs + offsetMs(timeMs)) / 1e3, number }));
  });
}

/** Finds for each frame that arrived the latest of its number that had been taken by then. Both in order. Pure. */
export function matchFrames(
  arrived: readonly ArrivedFrame[],
  delivered: readonly DeliveredFrame[],
  fps: number,
): MatchedFrames {
  const longestDelayS = Math.min(1, longestDelayPeriods / fps);
  const matched: number[] = [];
  let [next, end] = [0, 0];
  const takenS = arrived.map(({ atS, pts }) => {
    while (end < delivered.length && (delivered[end]?.takenS ?? 0) <= atS + earlyS) end += 1;
    if (pts === null) return null;
    for (let at = end - 1; at >= next; at -= 1) {
      const frame = delivered[at];
      if (frame === undefined || atS - frame.takenS > longestDelayS) return null;
      if (frame.number % frameNumberCycle !== frameNumberOf(pts)) continue;
      matched.push(at);
      next = at + 1;
      return frame.takenS;
    }
    return null;
  });
  return { takenS, skipped: skippedWithin(delivered.slice(matched[0] ?? 0, (matched.at(-1) ?? 0) + 1), fps) };
}

function skippedWithin(frames: readonly DeliveredFrame[], fps: number): number {
  return frames.reduce(
    (sum, { takenS }, i) => sum + missingBetween(frames[i - 1]?.takenS ?? takenS, takenS, fps),
    0,
  );
}

/** Each pipeline's frames, in the order of the pipelines. */
function pipelinesOf(ticks: readonly SensorTick[]): SensorTick[][] {
  const pipelines = new Map<string, SensorTick[]>();
  for (const tick of ticks) {
    const ticks = pipelines.get(tick.pipeline) ?? [];
    if (tick.number > (ticks.at(-1)?.number ?? -1)) ticks.push(tick);
    pipelines.set(tick.pipeline, ticks);
  }
  return [...pipelines.values()];
}

/**
 * The difference between a pipeline's times and wall-clock time. The two clocks drift apart: between the quickest deliveries of
 * two stretches it changes evenly. Undefined if no delivery was seen.
 */
function offsetsOf(ticks: readonly SensorTick[]): ((timeMs: number) => number) | undefined {
  const quickest = new Map<number, { timeMs: number; offsetMs: number }>();
  for (const { timeMs, deliveredAtMs } of ticks) {
    if (deliveredAtMs === null) continue;
    const stretch = Math.floor(timeMs / stretchMs);
    const offsetMs = deliveredAtMs - timeMs;
    if (offsetMs < (quickest.get(stretch)?.offsetMs ?? Number.POSITIVE_INFINITY)) {
      quickest.set(stretch, { timeMs, offsetMs });
    }
  }
  const points = [...quickest.values()];
  const [start] = points;
  if (start === undefined) return undefined;
  let at = 0;
  // Asked in the order of time.
  return (timeMs) => {
    while (at + 1 < points.length && (points[at + 1]?.timeMs ?? 0) <= timeMs) at += 1;
    const [from, to] = [points[at] ?? start, points[at + 1]];
    if (to === undefined || timeMs <= from.timeMs) return from.offsetMs;
    const share = (timeMs - from.timeMs) / (to.timeMs - from.timeMs);
    return from.offsetMs + share * (to.offsetMs - from.offsetMs);
  };
}
