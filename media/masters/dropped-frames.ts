/**
 * Frames missing between timestamps, as the camera's nominal rate says. A gap of n frame periods, rounded, hides n − 1
 * frames; jitter below half a period hides none. Equal and backward steps count as no gap. Pure.
 *
 * @param timestampsS capture times in seconds, in order of arrival
 * @param fps nominal rate in frames per second
 */
export function countDroppedFrames(timestampsS: readonly number[], fps: number): number {
  let dropped = 0;
  for (let index = 1; index < timestampsS.length; index += 1) {
    dropped += missingBetween(timestampsS[index - 1] ?? 0, timestampsS[index] ?? 0, fps);
  }
  return dropped;
}

/** Frames missing between two capture times in seconds. Never negative, and finite for any finite input. */
export function missingBetween(earlierS: number, laterS: number, fps: number): number {
  const periods = Math.round((laterS - earlierS) * fps);
  return Number.isFinite(periods) ? Math.max(0, periods - 1) : 0;
}
