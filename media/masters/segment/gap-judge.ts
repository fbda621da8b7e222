import { missingBetween } from './dropped-frames.ts';

/** Gaps before one, or after it, that show how fast the camera is sending at that moment. */
const neighbours = 7;
/** This part of them must be alike for a camera's own rate to count. */
const leastAlike = 0.8;
const tolerance = 0.2;

/**
 * Counts missing frames by the camera's real rate. That is the nominal one, unless the gaps around are even and show another:
 * USB cameras send half as many frames in dim light, and network cameras as many as they are set to. Gaps in which frames were
 * lost are uneven, and judged by the nominal rate.
 */
export class GapJudge {
  readonly #nominalS: number;
  /** Gaps in seconds: those already judged that are still needed, then those that wait for further ones. */
  #gapsS: number[] = [];
  #judged = 0;
  #total = 0;

  /** @param fps nominal rate */
  constructor(fps: number) {
    this.#nominalS = 1 / fps;
  }

  /** Missing frames in all gaps so far. */
  get missing(): number {
    return this.missingWith(null);
  }

  /** Missing frames in all gaps so far and in one that may still change. Safe as a whole number. */
  missingWith(openS: number | null): number {
    const gapsS = this.#gapsS;
    if (openS !== null) this.#gapsS = [...gapsS, openS];
    let open = 0;
    for (let at = this.#judged; at < this.#gapsS.length; at += 1) open += this.#judge(at);
    this.#gapsS = gapsS;
    return Math.min(Number.MAX_SAFE_INTEGER, this.#total + open);
  }

  add(gapS: number): void {
    this.#gapsS.push(gapS);
    if (this.#gapsS.length - this.#judged <= neighbours) return;
    this.#total += this.#judge(this.#judged);
    this.#judged += 1;
    if (this.#judged <= neighbours) return;
    this.#gapsS.shift();
    this.#judged -= 1;
  }

  /** By the rate before the gap or after it: at the moment it changes only one of them is even. In a short take both count. */
  #judge(at: number): number {
    const before = this.#gapsS.slice(Math.max(0, at - neighbours), at + 1);
    const behind = this.#gapsS.slice(at, at + neighbours + 1);
    const around = this.#gapsS.slice(Math.max(0, at - neighbours), at + neighbours + 1);
    const gapS = this.#gapsS[at] ?? 0;
    const counts = [before, behind, around].map((gapsS) =>
      missingBetween(0, gapS, 1 / this.#periodOf(gapsS)),
    );
    return Math.min(...counts);
  }

  #periodOf(gapsS: readonly number[]): number {
    if (gapsS.length <= neighbours) return this.#nominalS;
    const median = gapsS.toSorted((a, b) => a - b)[Math.floor(gapsS.length / 2)] ?? 0;
    // Frames that only jitter come at the nominal rate, and may come fast for a while.
    const ratio = median / this.#nominalS;
    if (ratio > 1 - 2 * tolerance && ratio < 1 + tolerance) return this.#nominalS;
    const alike = gapsS.filter((gapS) => Math.abs(gapS - median) <= tolerance * median);
    return median > 0 && alike.length >= leastAlike * gapsS.length ? median : this.#nominalS;
  }
}
