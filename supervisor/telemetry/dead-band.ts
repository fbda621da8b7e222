/**
 * How much a state changed since it was last published: `none`, `drift` (figures that wander; they can wait a little), or
 * `event` (something began, ended, came or went; it is published at once).
 */
export type Change = 'none' | 'drift' | 'event';

/** A figure must move by the larger of the two to count. */
interface Band {
  readonly absolute: number;
  /** Part of the figure that was last published. */
  readonly relative: number;
  /** Digits after the point of a figure that jumps: its mean over the last minute is compared and published. */
  readonly meanDigits?: number;
}

const still: Band = { absolute: 0, relative: 0 };
const instantBand: Band = { absolute: 15_000, relative: 0 };

/** By the figure's own name; any change of an unnamed figure counts. */
const bands: Readonly<Record<string, Band>> = {
  cpu_load_percent: { absolute: 5, relative: 0, meanDigits: 0 },
  temperature_c: { absolute: 1, relative: 0 },
  memory_used_percent: { absolute: 2, relative: 0 },
  clock_offset_ms: { absolute: 5, relative: 0.2, meanDigits: 1 },
  free_gb: { absolute: 0.25, relative: 0.01 },
  used_percent: { absolute: 1, relative: 0 },
  rx_kbps: { absolute: 100, relative: 0.2, meanDigits: 0 },
  tx_kbps: { absolute: 100, relative: 0.2, meanDigits: 0 },
  wifi_signal_dbm: { absolute: 5, relative: 0, meanDigits: 0 },
  fps: { absolute: 0.5, relative: 0.02, meanDigits: 1 },
  bitrate_kbps: { absolute: 50, relative: 0.1, meanDigits: 0 },
  loss_percent: { absolute: 0.5, relative: 0.1, meanDigits: 1 },
  latency_ms: { absolute: 10, relative: 0.1, meanDigits: 0 },
  remaining_s: { absolute: 60, relative: 0.02 },
  remaining_min: { absolute: 1, relative: 0.02 },
};

/** Instants that are computed each time differ by rounding and by the clock's own corrections. */
const instants: ReadonlySet<string> = new Set(['booted_at', 'started_at']);

/** Compares two JSON values of the same shape; `key` is the name of the value itself. */
export function changeOf(before: unknown, now: unknown, key = ''): Change {
  if (Object.is(before, now)) return 'none';
  if (typeof before === 'number' && typeof now === 'number') {
    return isOutside(bands[key] ?? still, before, now) ? 'drift' : 'none';
  }
  if (instants.has(key) && typeof before === 'string' && typeof now === 'string') {
    return isOutside(instantBand, Date.parse(before), Date.parse(now)) ? 'event' : 'none';
  }
  if (isObject(before) && isObject(now)) return objectChange(before, now);
  return 'event';
}

function objectChange(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): Change {
  const keys = Object.keys(now);
  if (keys.length !== Object.keys(before).length) return 'event';
  let result: Change = 'none';
  for (const key of keys) {
    const change = changeOf(before[key], now[key], key);
    if (change === 'event') return 'event';
    if (change === 'drift') result = 'drift';
  }
  return result;
}

function isOutside({ absolute, relative }: Band, before: number, now: number): boolean {
  const width = Math.max(absolute, Math.abs(before) * relative);
  return width === 0 ? before !== now : Math.abs(now - before) >= width;
}

/** For a figure that jumps; undefined for all others. */
export function meanDigitsOf(key: string): number | undefined {
  return bands[key]?.meanDigits;
}

/** Objects and arrays alike: an array is compared by its indices. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
