import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DiskReserveError, DiskUnavailableError } from './errors.ts';

/** Bytes an unprivileged process may still write to the file system of a path. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/**
 * The same of a folder that may not be there yet, as on a disk that has just been plugged in: the nearest one above it
 * tells. Rejects with the system's error.
 */
export async function freeBytesFor(folder: string): Promise<number> {
  try {
    return await freeBytes(folder);
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    return await freeBytesFor(above);
  }
}

/**
 * Makes the folder of the takes where it is missing, as on a new disk.
 * @throws DiskUnavailableError where it cannot be made or written to
 */
export async function makeTakesFolder(folder: string): Promise<void> {
  try {
    // On a read-only disk mkdir(2) says so, but Node's recursive one says that there is no such folder.
    await requireWritable(folder);
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw asDiskError(cause, folder);
  }
}

async function requireWritable(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    await requireWritable(above);
  }
}

const diskTroubles: Readonly<Record<string, string>> = {
  EROFS: 'is read-only',
  EACCES: 'may not be written to',
  EPERM: 'may not be written to',
  ENOSPC: 'is full',
  EDQUOT: 'is full',
  EIO: 'fails',
  ENODEV: 'was taken away',
  ENXIO: 'was taken away',
};

/** What the system says of a file on the disk of the masters, for people; any other error is left as it is. Pure. */
export function asDiskError(error: unknown, folder: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const trouble = diskTroubles[code] ?? 'cannot be used';
  return new DiskUnavailableError(`the disk of the masters ${trouble} (${folder}: ${code})`, {
    cause: error,
  });
}

/** @throws DiskReserveError where no more than the reserve is free */
export async function requireSpace(path: string, reserveBytes: number, ask = freeBytes): Promise<void> {
  const free = await ask(path);
  if (free <= reserveBytes) throw new DiskReserveError(free, reserveBytes);
}

/** Seconds until only the reserve is free; null where nothing grows. Pure. */
export function remainingSeconds(free: number, reserve: number, bytesPerSecond: number): number | null {
  if (bytesPerSecond <= 0) return null;
  return Math.max(0, (free - reserve) / bytesPerSecond);
}

/**
 * Bytes per second a recording will take, before there is any to measure. Raw video exactly; FFV1 with grain keeps about
 * 60 % of it, the compressed formats of cameras are estimated generously. A spool is held beside its master for a while. Pure.
 */
export function expectedBytesPerSecond(
  raw: {
    readonly codec: string;
    readonly pixelFormat: string;
    readonly width: number;
    readonly height: number;
    readonly fps: number;
  },
  strategy: 'direct' | 'spool',
): number {
  const samplesPerPixel = raw.pixelFormat.includes('422') ? 2 : 1.5;
  const rawRate = raw.width * raw.height * samplesPerPixel * raw.fps;
  const masterRate = rawRate * 0.6;
  if (strategy === 'direct') return masterRate;
  return masterRate + (raw.codec === 'rawvideo' ? rawRate : rawRate * 0.15);
}
