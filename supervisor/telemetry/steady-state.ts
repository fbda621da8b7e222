import { changeOf, meanDigitsOf } from './dead-band.ts';

interface Mean {
  readonly value: number;
  readonly atMs: number;
}

/** After this long without news of it two thirds of a mean are of the time since. */
const meanOverMs = 60_000;

/**
 * Keeps every figure as it was published until it leaves its dead-band. Otherwise one figure that moved would carry the noise
 * of all others along, and Home Assistant's recorder writes a row for each.
 */
export class SteadyState {
  #means = new Map<string, Mean>();

  /** The state to publish: `now`, with the figures of `published` that moved too little to count. */
  next<T>(published: T | null, now: T, nowMs: number): T {
    const means = new Map<string, Mean>();
    const state = this.#next(published ?? undefined, now, '', '', { means, nowMs });
    this.#means = means;
    return state as T;
  }

  #next(
    before: unknown,
    now: unknown,
    key: string,
    path: string,
    sample: { readonly means: Map<string, Mean>; readonly nowMs: number },
  ): unknown {
    if (typeof now === 'number') {
      const figure = this.#meanOf(now, key, path, sample);
      return typeof before === 'number' && changeOf(before, figure, key) === 'none' ? before : figure;
    }
    if (typeof now !== 'object' || now === null || Array.isArray(now)) {
      return changeOf(before, now, key) === 'none' ? before : now;
    }
    const past = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {};
    return Object.fromEntries(
      Object.entries(now).map(([name, value]) => {
        const own = Object.hasOwn(past, name) ? past[name] : undefined;
        return [name, this.#next(own, value, name, `${path}/${name}`, sample)];
      }),
    );
  }

  #meanOf(
    value: number,
    key: string,
    path: string,
    { means, nowMs }: { readonly means: Map<string, Mean>; readonly nowMs: number },
  ): number {
    const digits = meanDigitsOf(key);
    if (digits === undefined) return value;
    const last = this.#means.get(path);
    const weight = last === undefined ? 1 : 1 - Math.exp((last.atMs - nowMs) / meanOverMs);
    const mean = last === undefined ? value : last.value + (value - last.value) * weight;
    means.set(path, { value: mean, atMs: nowMs });
    const scale = 10 ** digits;
    return Math.round(mean * scale) / scale || 0;
  }
}
