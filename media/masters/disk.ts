import { statfs } from 'node:fs/promises';
import { DiskReserveError } from './errors.ts';

/** Bytes an unprivileged process may still write to the file system of a path. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
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
