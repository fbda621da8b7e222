import { createHash } from 'node:crypto';
import { z } from 'zod';
import { jsonIn } from '../../common/json-text.ts';

const accessKeySchema = z.object({
  id: z.string().min(1).max(64),
  role: z.enum(['owner', 'operator', 'viewer', 'camera']),
  subject: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.string(),
});

/** A key that opens this appliance, without its token. */
export type AccessKey = z.infer<typeof accessKeySchema>;

/**
 * One entry of the file. Fields and roles of a newer release are kept and open nothing: after a rollback no one is locked out,
 * and after the next update every key is as it was.
 */
const entrySchema = z.looseObject({
  ...accessKeySchema.shape,
  role: z.string(),
  check: z.string().optional(),
});

const documentSchema = z.looseObject({ version: z.int().min(1), keys: z.array(z.unknown()) });

/** See {@link entrySchema}. */
export type KeyEntry = z.infer<typeof entrySchema>;

/** The whole file. */
export interface KeyFile {
  readonly version: number;
  readonly keys: readonly KeyEntry[];
  readonly [field: string]: unknown;
}

/** What a text contains of keys. */
export interface KeyFileContent {
  readonly file: KeyFile;
  /** What was wrong with the text, for people; null if all of it could be read. */
  readonly damage: string | null;
}

/** A file without keys. */
export const emptyKeyFile: KeyFile = { version: 1, keys: [] };

/** Names of the fields that releases wrote before entries had a check. */
const uncheckedFields = Object.keys(accessKeySchema.shape).sort().join();

/**
 * Reads the keys from a text. A disk may return anything: each entry carries its own check, and an entry that does not match
 * its check is left out, because a flipped bit could make it another camera's key. The entries around it stay, even if the text
 * as a whole is no longer JSON.
 */
export function readKeyFile(text: string): KeyFileContent {
  const document = documentSchema.safeParse(jsonIn(text));
  if (document.success) {
    const { version, keys, ...rest } = document.data;
    const entries = keys.flatMap(entryOf);
    const lost = keys.length - entries.length;
    return {
      file: { ...rest, version, keys: entries },
      damage: lost === 0 ? null : `${lost} of ${keys.length} entries are damaged`,
    };
  }
  const keys = entriesIn(text);
  return {
    file: { ...emptyKeyFile, keys },
    damage:
      text.trim() === '' ? 'it is empty' : `it is no longer a key file; ${keys.length} entries can be read`,
  };
}

/** The same entry with a check that shows whether it is unchanged. */
export function withCheck(entry: KeyEntry): KeyEntry {
  return { ...entry, check: checkOf(entry) };
}

/** The key that an entry is to this release; null for entries of a newer one. */
export function keyOf(entry: KeyEntry): AccessKey | null {
  return accessKeySchema.safeParse(entry).data ?? null;
}

function entryOf(value: unknown): KeyEntry[] {
  const { data: entry } = entrySchema.safeParse(value);
  if (entry === undefined) return [];
  if (entry.check !== undefined) return entry.check === checkOf(entry) ? [entry] : [];
  if (keyOf(entry) === null) return [entry]; // it opens nothing
  const asWritten = Object.keys(entry).sort().join() === uncheckedFields && !entry.subject.includes('\uFFFD');
  return asWritten ? [entry] : [];
}

function checkOf({ check: _, ...entry }: KeyEntry): string {
  const canonical = Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex').slice(0, 32);
}

/** No entry is longer. */
const maxEntryChars = 4096;

/**
 * The entries of a text that is no key file as a whole. Each is searched for by itself: damage to one leaves the others intact.
 */
function entriesIn(text: string): KeyEntry[] {
  const found: KeyEntry[] = [];
  for (let at = text.indexOf('{'); at >= 0; at = text.indexOf('{', at)) {
    const part = objectAt(text.slice(at, at + maxEntryChars));
    const entries = part === null ? [] : entryOf(jsonIn(part));
    found.push(...entries);
    at += part === null || entries.length === 0 ? 1 : part.length;
  }
  return found;
}

/** From the brace at its beginning to the closing one; null if there is none. */
function objectAt(text: string): string | null {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth += 1;
    else if (token === '}') depth -= 1;
    if (depth === 0) return text.slice(0, index + 1);
  }
  return null;
}
