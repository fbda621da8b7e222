/** Rates that cameras are set to; a measured rate counts as the nearest. */
const usual = [1, 2, 3, 4, 5, 6, 7.5, 8, 10, 12, 12.5, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120];
const near = 0.04;
const windowMs = 5000;
const leastMs = 2500;
/** Below this part of the requested rate a source is slow. */
const slowBelow = 0.8;

/** Measures how many frames per second arrive, from a count that is read now and then. */
export class FrameRateMeter {
  #samples: { readonly frames: number; readonly atMs: number }[] = [];

  /** Starts again, for another pipeline. */
  restart(): void {
    this.#samples = [];
  }

  note(frames: number, atMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && frames < last.frames) this.restart();
    this.#samples.push({ frames, atMs });
    while ((this.#samples[1]?.atMs ?? atMs) < atMs - windowMs) this.#samples.shift();
  }

  /** Null before enough was seen. */
  get fps(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs - first.atMs < leastMs) return null;
    return ((last.frames - first.frames) * 1000) / (last.atMs - first.atMs);
  }
}

/** The rate a camera is set to, from its statement and from what arrives; null if neither is known. Pure. */
export function rateOf(stated: number | undefined, measured: number | null): number | null {
  if (measured === null || measured <= 0) return stated ?? null;
  const off = (fps: number) => Math.abs(fps - measured) / fps;
  if (stated !== undefined && off(stated) <= near) return stated;
  const nearest = usual.toSorted((a, b) => off(a) - off(b))[0];
  return nearest !== undefined && off(nearest) <= near ? nearest : Math.round(measured * 100) / 100;
}

/** Whether much less arrives than was requested. Pure. */
export function isSlow(measured: number | null, asked: number): boolean {
  return measured !== null && measured < slowBelow * asked;
}
