import { isStep, missingBetween } from './dropped-frames.ts';
import { GapJudge } from './gap-judge.ts';

/**
 * Sums over the capture times of a segment, in seconds, as the frames come. How many frames a gap hides is judged by the rate
 * at which the camera really sends ({@link GapJudge}). Two things are not gaps: one frame that is far off the time line, after
 * which the line continues as before, and a step of the machine's clock.
 */
export class FrameSums {
  readonly #fps: number;
  readonly #gaps: GapJudge;
  /** Steps that were not seen yet. */
  readonly #steps: number[];
  #frames = 0;
  /** Frames that exist, though off the time line: each is one of those that seem to be missing. */
  #strays = 0;
  #firstS: number | null = null;
  /** The last frame that is on the time line for certain. */
  #surelyS: number | null = null;
  /** The last frame if it is off the line that leads to it: the next one shows why. */
  #doubtfulS: number | null = null;

  /** @param fps nominal rate. @param steps by how many seconds the clock was set meanwhile, in order */
  constructor(fps: number, steps: readonly number[] = []) {
    this.#fps = fps;
    this.#gaps = new GapJudge(fps);
    this.#steps = [...steps];
  }

  stepped(seconds: number): void {
    this.#steps.push(seconds);
  }

  add(timeS: number): void {
    this.#frames += 1;
    this.#firstS ??= timeS;
    if (this.#surelyS === null) this.#surelyS = timeS;
    else if (this.#doubtfulS === null) this.#follow(this.#surelyS, timeS);
    else this.#settle(this.#surelyS, this.#doubtfulS, timeS);
  }

  progress(): { frames: number; droppedFrames: number; firstS: number | null; lastS: number | null } {
    const [surelyS, doubtfulS] = [this.#surelyS, this.#doubtfulS];
    const openS =
      surelyS === null || doubtfulS === null ? null : gapWithoutStep(surelyS, doubtfulS, [...this.#steps]);
    const droppedFrames = Math.max(0, this.#gaps.missingWith(openS) - this.#strays);
    return { frames: this.#frames, droppedFrames, firstS: this.#firstS, lastS: doubtfulS ?? surelyS };
  }

  #follow(fromS: number, toS: number): void {
    const isOff = toS < fromS || missingBetween(fromS, toS, this.#fps) > 0;
    this.#doubtfulS = isOff ? toS : null;
    this.#surelyS = isOff ? fromS : toS;
    if (!isOff) this.#gaps.add(toS - fromS);
  }

  /** The frame between was a stray if this one continues from before it. */
  #settle(beforeS: number, betweenS: number, timeS: number): void {
    const isStray = betweenS > beforeS ? timeS >= beforeS && timeS < betweenS : timeS >= beforeS;
    if (isStray) {
      if (missingBetween(beforeS, timeS, this.#fps) > 0) this.#strays += 1;
      this.#addGap(beforeS, timeS);
      this.#surelyS = timeS;
      this.#doubtfulS = null;
      return;
    }
    this.#addGap(beforeS, betweenS);
    this.#follow(betweenS, timeS);
  }

  #addGap(fromS: number, toS: number): void {
    const gapS = gapWithoutStep(fromS, toS, this.#steps);
    // Times that go back hide no frame, and say nothing about the rate.
    if (gapS > 0) this.#gaps.add(gapS);
  }
}

/** Seconds between two times; uses up the step of the clock that explains the difference. */
function gapWithoutStep(fromS: number, toS: number, steps: number[]): number {
  const at = steps.findIndex((seconds) => isStep(toS - fromS, seconds));
  const [seconds = 0] = at < 0 ? [] : steps.splice(at, 1);
  return toS - fromS - seconds;
}
