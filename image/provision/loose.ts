/** Looks into data of unknown shape, parsed from a file that someone else wrote. Never throws. */
export type Loose = Readonly<Record<string, unknown>>;

/** The value as an object; empty if it is none. */
export function asRecord(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

/** The value as a list; empty if it is none. */
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as text; undefined if it is neither text nor a number. */
export function asText(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

/** A host name as people write it: in any case, perhaps with its domain. */
export function asHostName(value: unknown): string | undefined {
  const label = asText(value)?.trim().split('.')[0]?.toLowerCase();
  return label === '' ? undefined : label;
}

/** Keys for SSH: a text may hold several, one a line, as in a file of them. */
export function asKeys(value: unknown): string[] {
  return asTexts(value)
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** What YAML 1.1, which cloud-init reads, takes for true. */
export function asTruth(value: unknown): boolean {
  return value === true || /^(?:true|yes|on|y)$/i.test(asText(value) ?? '');
}

/** A list of texts; a single text counts as a list of one. */
function asTexts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(asText).filter((text) => text !== undefined);
}
