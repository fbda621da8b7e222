import { readFile } from 'node:fs/promises';
import { readTextIfThere } from '../../common/files.ts';
import { mountOf, parseMounts } from '../../common/mounts.ts';

/** The image's rushlight-storage.service writes here why it could not use the data partition: one sentence. */
export const inMemoryNote = '/run/rushlight-data-in-memory';

/** The files that say whether data is kept. */
export interface KeptDataFiles {
  readonly folder: string;
  /** /proc/self/mounts. */
  readonly mounts: string;
  readonly note: string;
}

/** Why data written to the data folder is not kept, with what to do; null if it is kept. Rejects with the system's error. */
export async function readKeptData({ folder, mounts, note }: KeptDataFiles): Promise<string | null> {
  return whyNotKept(folder, await readFile(mounts, 'utf8'), await readTextIfThere(note));
}

/** The same, from the content of these files. Pure. */
export function whyNotKept(folder: string, mounts: string, note: string | null): string | null {
  if (note !== null) {
    return `${note.trim()} Settings that you change now are gone after a restart. You can keep recording, with the masters on an SSD; then replace the card, or reset it to its factory settings.`;
  }
  const options = mountOf(folder, parseMounts(mounts))?.options ?? [];
  // Since Linux 6.15 a file system with errors stays writable by its flags.
  if (options.includes('ro') || options.includes('emergency_ro')) {
    return 'The card has accepted no writes since an error, so settings are not being saved. Restart between two takes to have it checked, and replace it before the next shooting day.';
  }
  return null;
}
