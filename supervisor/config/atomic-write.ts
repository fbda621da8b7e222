import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces a file so that after a power cut there is either the old or the new one, whole: a file beside it is
 * written and synced, renamed over it, and the folder synced.
 */
export async function writeFileAtomic(file: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `${temporaryPrefix(file)}${randomUUID()}`);
  try {
    await using handle = await open(temporary, 'wx', mode);
    await handle.writeFile(data);
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await rename(temporary, file);
  await syncFolder(folder);
}

/** Removes what a crash in the middle of writing this file left behind. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const leftovers = (await readdir(folder)).filter((name) => name.startsWith(temporaryPrefix(file)));
  await Promise.all(leftovers.map((name) => rm(join(folder, name), { force: true })));
}

function temporaryPrefix(file: string): string {
  return `.${basename(file)}.tmp-`;
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
