import type { FoundConfig } from './load.ts';
import type { TomlTable } from './migrate.ts';
import { parseConfig } from './parse.ts';

/** What a valid file said before. */
export interface EarlierFile {
  readonly text: string;
  readonly table: TomlTable;
}

/** Whether a file is empty: no bytes, only white space, or the zeros that an interrupted write leaves on a FAT card. Pure. */
export function isBlank(text: string): boolean {
  return /^[\s\0]*$/.test(text);
}

/**
 * Whether a file looks half written: gone, blank, the beginning of the former text, or without tables and keys it had. Waiting
 * then costs little, and acting too early may end a feed. Pure.
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
