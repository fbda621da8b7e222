import * as diskFs from '../../../common/disk-fs.ts';
import { replaceFile } from '../../../common/replace-file.ts';

/**
 * Replaces a file of a take, so that a power cut leaves either the old or the new one, complete. The folder must exist: if it
 * does not, the disk is away, and the file would land on the card below the mount point. Rejects with the system's error, or
 * DiskSilentError.
 */
export async function replaceTakeFile(path: string, text: string): Promise<void> {
  await replaceFile(diskFs, path, text, { mode: 0o644, durable: true });
}
