import { readFile, stat } from 'node:fs/promises';
import { RushlightError } from '../../common/errors.ts';

/** A file that a setting names is not a regular file of reasonable size. */
export class SettingFileError extends RushlightError {
  readonly code = 'SETTING_FILE_UNUSABLE';
}

const largestBytes = 1024 * 1024;

/**
 * Reads a password, key or certificate that a setting names. Refuses devices and pipes, whose reading would never end. Rejects
 * with the system's error, or with SETTING_FILE_UNUSABLE.
 */
export async function readSettingFile(file: string): Promise<Buffer> {
  const found = await stat(file);
  if (!found.isFile()) throw new SettingFileError(`${file} is not a file`);
  if (found.size > largestBytes) {
    throw new SettingFileError(`${file} is larger than ${largestBytes} bytes`);
  }
  return await readFile(file);
}
