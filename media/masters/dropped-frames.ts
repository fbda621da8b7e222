/** A clock that was set is known to within this. */
const stepToleranceS = 1;

/**
 * Sums over the capture times of a segment, in seconds, as the frames come. A gap of n frame periods, rounded, hides n − 1 frames;
 * jitter below half a period hides none. Two things are no gaps: one frame that is far off the time line, after which that goes on
 * as if nothing had been, and a step of the machine's clock.
 */
export class FrameSums {
  private readonly fps: number;
  /** Steps that were not met yet. */
  private readonly steps: number[];
  private frames = 0;
  private dropped = 0;
  private firstS: number | null = null;
  /** The last frame that is on the time line for certain. */
  private surelyS: number | null = null;
  /** The last frame, where it is off the line that leads to it: the next one tells why. */
  private doubtfulS: number | null = null;

  /** @param fps nominal rate. @param steps by how many seconds the clock was set meanwhile, in order */
  constructor(fps: number, steps: readonly number[] = []) {
    this.fps = fps;
    this.steps = [...steps];
  }

  stepped(seconds: number): void {
    this.steps.push(seconds);
  }

  add(timeS: number): void {
    this.frames += 1;
    this.firstS ??= timeS;
    if (this.surelyS === null) this.surelyS = timeS;
    else if (this.doubtfulS === null) this.follow(this.surelyS, timeS);
    else this.settle(this.surelyS, this.doubtfulS, timeS);
  }

  progress(): { frames: number; droppedFrames: number; firstS: number | null; lastS: number | null } {
    const { frames, firstS, surelyS, doubtfulS } = this;
    const open =
      surelyS === null || doubtfulS === null ? 0 : this.missing(surelyS, doubtfulS, [...this.steps]);
    const droppedFrames = Math.min(Number.MAX_SAFE_INTEGER, this.dropped + open);
    return { frames, droppedFrames, firstS, lastS: doubtfulS ?? surelyS };
  }

  private follow(fromS: number, toS: number): void {
    this.surelyS = fromS;
    this.doubtfulS = toS < fromS || missingBetween(fromS, toS, this.fps) > 0 ? toS : null;
    if (this.doubtfulS === null) this.surelyS = toS;
  }

  /** The frame between was a stray where this one goes on from before it: it still is one of those that seem to be missing. */
  private settle(beforeS: number, betweenS: number, timeS: number): void {
    const isStray = betweenS > beforeS ? timeS >= beforeS && timeS < betweenS : timeS >= beforeS;
    if (isStray) {
      this.dropped += Math.max(0, this.missing(beforeS, timeS, this.steps) - 1);
      this.surelyS = timeS;
      this.doubtfulS = null;
      return;
    }
    this.dropped += this.missing(beforeS, betweenS, this.steps);
    this.follow(betweenS, timeS);
  }

  /** Frames missing between two times; uses up the step that explains what is between them. */
  private missing(fromS: number, toS: number, steps: number[]): number {
    const at = steps.findIndex((seconds) => isStep(toS - fromS, seconds));
    const [seconds = 0] = at < 0 ? [] : steps.splice(at, 1);
    return missingBetween(fromS + seconds, toS, this.fps);
  }
}

/**
 * Times without the steps of the clock that is known to have been set meanwhile: as the clock went at first. Pure.
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
function isStep(gapS: number, seconds: number): boolean {
  return Math.abs(gapS - seconds) <= stepToleranceS && Math.abs(gapS) > Math.abs(gapS - seconds);
}

/** Frames missing within a segment. Pure. */
export function countDroppedFrames(timestampsS: readonly number[], fps: number): number {
  const sums = new FrameSums(fps);
  for (const timeS of timestampsS) sums.add(timeS);
  return sums.progress().droppedFrames;
}

/** Frames missing between two capture times in seconds. Never negative, and safe as a whole number for any input. */
export function missingBetween(earlierS: number, laterS: number, fps: number): number {
  const periods = Math.round((laterS - earlierS) * fps);
  return Number.isFinite(periods) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, periods - 1)) : 0;
}
