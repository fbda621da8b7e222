import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode } from './errors.ts';
import { type ReplacingCalls, replaceFile, temporaryPrefix } from './replace-file.ts';

/** How {@link replaceFile} writes. */
export interface AtomicWriteOptions {
  /** Permissions, whatever the umask. Default: only this user may read and write. */
  readonly mode?: number;
  /** False for files that need not outlive a power cut, such as those below /run. Default true. */
  readonly durable?: boolean;
}

/**
 * Replaces a file in one step: after a power cut either the old or the new one is there, complete. Follows no link at its path.
 * Rejects with the system's error and leaves the old file unchanged.
 */
export async function writeFileAtomic(
  file: string,
  data: string | Uint8Array,
  { mode = 0o600, durable = true }: AtomicWriteOptions = {},
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(calls, file, data, { mode, durable });
}

/** Removes what a crash in the middle of writing this file left behind. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  const names = (await ifThere(readdir(folder))) ?? [];
  const leftovers = names.filter((name) => name.startsWith(temporaryPrefix(file)));
  await Promise.all(leftovers.map((name) => rm(join(folder, name), { force: true })));
}

const calls: ReplacingCalls = {
  open,
  rename,
  removeFile: (path) => rm(path, { force: true }),
  async syncFolder(folder) {
    await using handle = await open(folder, 'r');
    await handle.sync();
  },
};

/** Of a path that leads nowhere: nothing there, a file in place of a folder, a name longer than any file may have. */
const absent = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];

/** What the promise gives, or null if the file or folder it is about does not exist, or cannot exist. Other errors pass through. */
export async function ifThere<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (hasErrorCode(error, ...absent)) return null;
    throw error;
  }
}

/** The text of a file, or null if there is none. */
export function readTextIfThere(file: string): Promise<string | null> {
  return ifThere(readFile(file, 'utf8'));
}
