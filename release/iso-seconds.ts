/** A time in UTC to the second: `2026-11-30T16:00:00Z`. */
export function isoSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
