import { rename } from 'node:fs/promises';
import type { Logger } from 'pino';
import { errorCode } from '../common/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../common/files.ts';
import { OtaError } from './errors.ts';

/**
 * Replaces a file so that a power cut leaves the old or the new one.
 * @throws {OtaError} `STORE_FAILED`, or `DISK_FULL` if there is no room.
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  try {
    await writeFileAtomic(path, content, { mode: 0o640 });
  } catch (cause) {
    const full = errorCode(cause) === 'ENOSPC';
    throw new OtaError(full ? 'DISK_FULL' : 'STORE_FAILED', `could not write ${path}`, { cause });
  }
}

/**
 * The text of a file, null if there is none.
 * @throws {OtaError} `STORE_FAILED`
 */
export async function readFileOrNull(path: string): Promise<string | null> {
  try {
    return await readTextIfThere(path);
  } catch (cause) {
    throw new OtaError('STORE_FAILED', `could not read ${path}`, { cause });
  }
}

/**
 * The parsed content of a file, null if there is none. A file that cannot be read, or that `parse` throws on, is moved aside
 * for people who want to find out what happened, and counts as absent: what a disk returns is never a reason to stop. Never
 * rejects.
 */
export async function readKept<T>(
  path: string,
  parse: (text: string) => T,
  logger: Logger,
): Promise<T | null> {
  try {
    const text = await readFileOrNull(path);
    return text === null ? null : parse(text);
  } catch (error) {
    const aside = await putAside(path, logger);
    logger.error({ err: error, file: path, aside }, 'a file is damaged, was put aside, and counts as empty');
    return null;
  }
}

async function putAside(path: string, logger: Logger): Promise<string | null> {
  // A folder or a device may already have the first name.
  for (const aside of [`${path}.broken`, `${path}.broken-${Date.now()}`]) {
    try {
      await rename(path, aside);
      return aside;
    } catch (error) {
      logger.warn({ err: error, file: path, aside }, 'a damaged file cannot be put aside');
    }
  }
  return null;
}
