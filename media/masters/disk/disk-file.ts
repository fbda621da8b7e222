import { constants } from 'node:fs';
import { type DiskFile, lstat, open } from '../../../common/disk-fs.ts';
import { hasErrorCode } from '../../../common/errors.ts';
import { StrangeFileError } from '../errors.ts';

/**
 * Another machine may have written the files on a disk. A link is never followed, and nothing that is not a file (a named pipe,
 * a device, a socket) is ever waited for.
 */

/** Opens a file for reading. Rejects with the system's error, or StrangeFileError if it is not a file. */
export async function openRegular(path: string): Promise<DiskFile> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error: unknown) => {
    // ELOOP: a link. ENXIO: a socket, or a device without a driver.
    if (hasErrorCode(error, 'ELOOP', 'ENXIO')) throw new StrangeFileError(path, { cause: error });
    throw error;
  });
  try {
    if ((await handle.stat()).isFile()) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw new StrangeFileError(path);
}

/**
 * Reads a text. Undefined if there is no such file. Rejects with StrangeFileError if it is not a file, or too large for its
 * kind.
 */
export async function textOf(path: string, maxBytes: number): Promise<string | undefined> {
  try {
    await using handle = await openRegular(path);
    const { size } = await handle.stat();
    if (size > maxBytes) throw new StrangeFileError(path, { what: `is larger than ${maxBytes} bytes` });
    return await handle.text();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Size and time of a file. Undefined if there is nothing. Rejects with StrangeFileError if it is something else. */
export async function regularStat(
  path: string,
): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    const found = await lstat(path);
    if (found.isFile()) return found;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  throw new StrangeFileError(path);
}

/** Rejects with StrangeFileError if a path is anything but a folder, including a link to one. */
export async function requireFolder(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) throw new StrangeFileError(path, { what: 'is not a folder' });
}

/** Rejects if something lies at a path that is not a file of its own. Call it before a program writes or reads there. */
export async function requireRegularOrNothing(path: string): Promise<void> {
  await regularStat(path);
}
