/** Whether a parsed value is an object with keys of its own: no list, and none of TOML's dates. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
