import { readFile, stat } from 'node:fs/promises';
import { editorText } from '../../common/editor-text.ts';
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

/**
 * Reads a password or token that a setting names: whatever editor wrote the file, without the end of its line. One without a
 * word in it, as a power cut leaves it, is refused, and not taken for an empty password.
 */
export async function readSecretFile(file: string): Promise<string> {
  const text = editorText(await readSettingFile(file)).replace(/[\r\n]+$/, '');
  // A power cut may leave nothing but NUL characters, too.
  if (text.replaceAll('\0', '').trim() === '') throw new SettingFileError(`${file} is empty`);
  return text;
}
