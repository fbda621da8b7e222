/** Levenshtein's distance: how many characters must be inserted, removed or replaced. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** A key that the schema has, as a suggestion for an unknown one. */
export interface KnownKey {
  /** Path of the key. */
  readonly path: string;
  /** Its own name, the last part. */
  readonly name: string;
  /** Whether it belongs to the table of the unknown key. */
  readonly here: boolean;
}

/** What people write for a key of the same table that has another name. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  address: ['url'],
  broker: ['url'],
  host: ['url'],
  name: ['label'],
  password: ['password_file', 'token'],
  server: ['url'],
  title: ['label'],
  uri: ['url'],
  user: ['username'],
};

/** The known key nearest to an unknown one: one of the same table that means the same, or one with a similar name. Of two equally near ones, the one in the same table wins. */
export function nearestKey(unknown: string, known: readonly KnownKey[]): string | undefined {
  const wanted = unknown.toLowerCase();
  const meant = Object.hasOwn(synonyms, wanted) ? (synonyms[wanted] ?? []) : [];
  const same = known.find(({ name, here }) => here && meant.includes(name));
  if (same !== undefined) return same.path;
  let best: { readonly path: string; readonly distance: number } | undefined;
  for (const { path, name, here } of known) {
    const distance = unlikeness(wanted.slice(0, 64), name) + (here ? 0 : 1.5);
    if (best === undefined || distance < best.distance) best = { path, distance };
  }
  return best?.path;
}

/** The edit distance, but an unfinished word is near the whole one: `bitrate` to `bitrate_kbps`. */
function unlikeness(word: string, name: string): number {
  const missing = name.length - word.length;
  const whole = editDistance(word, name);
  if (missing <= 0) return whole;
  return Math.min(whole, editDistance(word, name.slice(0, word.length)) + missing / 10);
}
