import * as diskFs from '../../../common/disk-fs.ts';
import { type ReplacingCalls, replaceFile } from '../../../common/replace-file.ts';

const calls: ReplacingCalls = {
  ...diskFs,
  // What is unfinished is small: if it cannot be removed soon, the disk hangs, and the caller has waited once already.
  removeFile: (path) => diskFs.removeFile(path, 10_000),
};

/**
 * Replaces a file of a take, so that a power cut leaves either the old or the new one, complete. The folder must exist: if it
 * does not, the disk is away, and the file would land on the card below the mount point. Rejects with the system's error, or
 * DiskSilentError.
 */
export async function replaceTakeFile(path: string, text: string): Promise<void> {
  await replaceFile(calls, path, text, { mode: 0o644, durable: true });
}
