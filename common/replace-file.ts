import { randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { errorCode } from './errors.ts';

/** An open file, as far as replacing one needs it. */
interface OpenFile extends AsyncDisposable {
  chmod(mode: number): Promise<void>;
  writeFile(data: string | Uint8Array): Promise<void>;
  sync(): Promise<void>;
}

/** The calls that replacing a file takes: of node:fs (files.ts), or those for disks that may hang (disk-fs.ts). */
export interface ReplacingCalls {
  open(path: string, flags: string, mode: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** A file, or nothing. */
  removeFile(path: string): Promise<void>;
  syncFolder(folder: string): Promise<void>;
}

/** How the new file is written. */
export interface ReplacingOptions {
  readonly mode: number;
  /** It outlives a power cut. */
  readonly durable: boolean;
}

/** What the names of unfinished files begin with that are to replace this one. */
export function temporaryPrefix(file: string): string {
  return `.${basename(file)}.tmp-`;
}

/**
 * Writes a file whole or not at all: beside the one that is there, which it then replaces. Its folder must exist. Rejects with the error of
 * the calls.
 */
export async function replaceFile(
  calls: ReplacingCalls,
  file: string,
  data: string | Uint8Array,
  { mode, durable }: ReplacingOptions,
): Promise<void> {
  const folder = dirname(file);
  const temporary = join(folder, `${temporaryPrefix(file)}${randomUUID()}`);
  {
    await using onError = new AsyncDisposableStack();
    onError.defer(() => calls.removeFile(temporary));
    await using handle = await calls.open(temporary, 'wx', mode);
    await handle.chmod(mode).catch((error: unknown) => {
      // FAT has no permissions and refuses some. The file was opened with at most these.
      if (errorCode(error) !== 'EPERM') throw error;
    });
    await handle.writeFile(data);
    if (durable) await handle.sync();
    await calls.rename(temporary, file);
    onError.move();
  }
  if (durable) await calls.syncFolder(folder);
}
