import { randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { open, removeFile, rename, syncFolder } from '../../../common/disk-fs.ts';

/**
 * Replaces a file of a take, so that a power cut leaves either the old or the new one, complete. The folder must exist: if it
 * does not, the disk is away, and the file would land on the card below the mount point. Rejects with the system's error, or
 * DiskSilentError.
 */
export async function replaceTakeFile(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.tmp-${randomUUID()}`);
  try {
    await using file = await open(temporary, 'wx', 0o644);
    await file.chmod(0o644);
    await file.writeText(text);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await removeFile(temporary);
    throw error;
  }
  await syncFolder(folder);
}
