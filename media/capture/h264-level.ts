/** Limits of the H.264 levels (ITU-T H.264, table A-1): macroblocks per second and per frame, kbit/s for Baseline. */
const levels = [
  ['1', 1_485, 99, 64],
  ['1.1', 3_000, 396, 192],
  ['1.2', 6_000, 396, 384],
  ['1.3', 11_880, 396, 768],
  ['2', 11_880, 396, 2_000],
  ['2.1', 19_800, 792, 4_000],
  ['2.2', 20_250, 1_620, 4_000],
  ['3', 40_500, 1_620, 10_000],
  ['3.1', 108_000, 3_600, 14_000],
  ['3.2', 216_000, 5_120, 20_000],
  ['4', 245_760, 8_192, 20_000],
  ['4.1', 245_760, 8_192, 50_000],
  ['4.2', 522_240, 8_704, 50_000],
  ['5', 589_824, 22_080, 135_000],
  ['5.1', 983_040, 36_864, 240_000],
  ['5.2', 2_073_600, 36_864, 240_000],
] as const;

/** Limits of one level. */
export interface LevelLimits {
  readonly macroblocksPerS: number;
  readonly macroblocksPerFrame: number;
  readonly maxKbps: number;
}

/** Limits of a level by its name, such as `4.1`; null if there is no such level. */
export function levelLimits(name: string): LevelLimits | null {
  const found = levels.find(([level]) => level === name);
  if (found === undefined) return null;
  const [, macroblocksPerS, macroblocksPerFrame, maxKbps] = found;
  return { macroblocksPerS, macroblocksPerFrame, maxKbps };
}

/** Macroblocks of a picture with this size in pixels. */
export function macroblocksPerFrame(width: number, height: number): number {
  return Math.ceil(width / 16) * Math.ceil(height / 16);
}

/** The lowest level that is enough for a stream; null if none is. */
export function lowestLevel(width: number, height: number, fps: number, kbps: number): string | null {
  const frame = macroblocksPerFrame(width, height);
  const found = levels.find(
    ([, perS, perFrame, maxKbps]) => frame * fps <= perS && frame <= perFrame && kbps <= maxKbps,
  );
  return found?.[0] ?? null;
}
