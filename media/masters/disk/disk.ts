import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { access, makeFolder, statfs } from '../../../common/disk-fs.ts';
import { gateOf } from '../../../common/disk-gate.ts';
import { errorCode } from '../../../common/errors.ts';
import { DiskFilesError, DiskReserveError, DiskUnavailableError } from '../errors.ts';
import { diskReason, isSilence, silence } from './disk-trouble.ts';

/** Bytes that an unprivileged process can still write to the file system of a path. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/**
 * The same for a folder that may not exist yet, as on a disk that has just been plugged in: the nearest folder above it counts.
 * Rejects with the system's error.
 */
export async function freeBytesFor(folder: string): Promise<number> {
  try {
    return await freeBytes(folder);
  } catch (error) {
    const above = dirname(folder);
    if (errorCode(error) !== 'ENOENT' || above === folder) throw error;
    return await freeBytesFor(above);
  }
}

/**
 * Makes the folder of the takes if it is missing, as on a new disk.
 * @throws DiskUnavailableError if it cannot be made or written to
 */
export async function makeTakesFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (cause) {
    if (isSilence(cause)) throw asDiskError(cause);
    // On a read-only disk mkdir(2) says so, but Node's recursive one says that there is no such folder.
    const obstacle = await diskObstacle(folder);
    throw obstacle === null ? asDiskError(cause) : new DiskUnavailableError(obstacle, { cause });
  }
}

/** The system's error about a disk, as what is wrong and what to do; any other error stays unchanged. Pure. */
export function asDiskError(error: unknown): unknown {
  const reason = diskReason(error);
  return reason === undefined ? error : new DiskUnavailableError(reason, { cause: error });
}

/** Number of files that a take of a few cameras may make. */
const leastFiles = 64;

/**
 * Whether a file system has no room for more files, whatever its free bytes. A file system that makes room as needed says 0 of
 * 0. Pure.
 */
export function lacksFiles({ files, ffree }: { readonly files: number; readonly ffree: number }): boolean {
  return files > 0 && ffree < leastFiles;
}

/**
 * What prevents takes from being written to a folder, and what to do; null if nothing does. A folder that does not exist yet is
 * checked where it will be made. Never rejects.
 */
export async function diskObstacle(folder: string): Promise<string | null> {
  // A disk that hangs may answer this from memory.
  if (gateOf(folder).silentMs !== null) return `the disk of the masters ${silence}`;
  try {
    await access(folder, constants.W_OK);
    return lacksFiles(await statfs(folder)) ? new DiskFilesError().message : null;
  } catch (error) {
    const above = dirname(folder);
    if (errorCode(error) === 'ENOENT' && above !== folder) return await diskObstacle(above);
    return diskReason(error) ?? `the disk of the masters does not answer: ${(error as Error).message}`;
  }
}

/** @throws DiskReserveError if no more than the reserve is free, DiskFilesError if no more files fit */
export async function requireSpace(path: string, reserveBytes: number, ask = freeBytes): Promise<void> {
  const free = await ask(path);
  if (free <= reserveBytes) throw new DiskReserveError(free, reserveBytes);
  if (lacksFiles(await statfs(path))) throw new DiskFilesError();
}

/** Seconds until only the reserve is free; null if nothing grows. Pure. */
export function remainingSeconds(free: number, reserve: number, bytesPerSecond: number): number | null {
  if (bytesPerSecond <= 0) return null;
  return Math.max(0, (free - reserve) / bytesPerSecond);
}

/**
 * Bytes per second that a camera's spool and its master will take, before there is any to measure. Raw video exactly; FFV1 with
 * grain keeps about 60 % of it, the compressed formats of cameras are estimated generously. Pure.
 */
export function expectedRates(raw: {
  readonly codec: string;
  readonly pixelFormat: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}): { readonly spool: number; readonly master: number } {
  const samplesPerPixel = raw.pixelFormat.includes('422') ? 2 : 1.5;
  const rawRate = raw.width * raw.height * samplesPerPixel * raw.fps;
  return { spool: raw.codec === 'rawvideo' ? rawRate : rawRate * 0.15, master: rawRate * 0.6 };
}
