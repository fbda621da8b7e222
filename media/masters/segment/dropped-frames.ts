/** A clock that was set is known to within this. */
const stepToleranceS = 1;

/**
 * Times without the steps of the clock that is known to have been set meanwhile: by the clock as it was at first. Pure.
 * @param steps seconds by which it was set, in order
 */
export function withoutSteps(timesS: readonly number[], steps: readonly number[]): number[] {
  const left = [...steps];
  let steppedS = 0;
  return timesS.map((timeS, index) => {
    const gapS = timeS - (timesS[index - 1] ?? timeS);
    const at = index === 0 ? -1 : left.findIndex((seconds) => isStep(gapS, seconds));
    if (at >= 0) steppedS += left.splice(at, 1)[0] ?? 0;
    return timeS - steppedS;
  });
}

/** Whether a gap is that step, and at most a second more. */
export function isStep(gapS: number, seconds: number): boolean {
  return Math.abs(gapS - seconds) <= stepToleranceS && Math.abs(gapS) > Math.abs(gapS - seconds);
}

/** Frames missing between two capture times in seconds. Never negative, and safe as a whole number for any input. */
export function missingBetween(earlierS: number, laterS: number, fps: number): number {
  const periods = Math.round((laterS - earlierS) * fps);
  return Number.isFinite(periods) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, periods - 1)) : 0;
}
