import type { FoundConfig } from './load.ts';
import type { TomlTable } from './migrate.ts';
import { parseConfig } from './parse.ts';

/** What a good file said before. */
export interface EarlierFile {
  readonly text: string;
  readonly table: TomlTable;
}

/** Whether a file holds nothing: no byte, white space, or the zeros that a FAT card leaves of a write cut short. Pure. */
export function isBlank(text: string): boolean {
  return /^[\s\0]*$/.test(text);
}

/**
 * Whether a file looks as if somebody were in the middle of writing it: gone, blank, the beginning of what it was, or
 * without tables and keys it had. Then a little patience costs nothing, and haste may end a feed. Pure.
 */
export function looksUnfinished(before: EarlierFile | null, found: FoundConfig): boolean {
  if (before === null || Object.keys(before.table).length === 0 || found.state === 'unreadable') return false;
  if (found.state === 'missing' || isBlank(found.text) || before.text.startsWith(found.text)) return true;
  const parsed = parseConfig(found.text);
  return parsed.ok && Object.keys(before.table).some((key) => lost(before.table[key], parsed.table[key]));
}

function lost(before: unknown, now: unknown): boolean {
  if (now === undefined) return true;
  return Array.isArray(before) && Array.isArray(now) && now.length < before.length;
}
