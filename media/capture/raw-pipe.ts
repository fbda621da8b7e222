import { constants } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildHost } from '../../common/child-host.ts';
import { hasErrorCode } from '../../common/errors.ts';
import { ifThere } from '../../common/files.ts';
import { RawPipeError } from './errors.ts';

/**
 * The named pipe that carries captured frames from a capture pipeline to a recorder. It stays while either side comes and goes,
 * and is never removed: without it a writer would create a regular file there and fill the disk.
 */

/** Makes the pipe unless it exists. Node has no mkfifo(3), so the program does it. @throws RawPipeError */
export async function ensureRawPipe(host: ChildHost, path: string): Promise<void> {
  if (await isPipe(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A name of its own per attempt: capture and recorder may both find the pipe missing.
  const name = `mkfifo-${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
  const child = await host.spawn({ name, argv: ['mkfifo', '-m', '600', path] });
  await child.exited;
  if (!(await isPipe(path))) throw new RawPipeError(`${path} could not be made a named pipe`);
}

/** @throws RawPipeError if something that is not a pipe is there */
async function isPipe(path: string): Promise<boolean> {
  const found = await ifThere(stat(path));
  if (found?.isFIFO() === false) throw new RawPipeError(`${path} exists and is not a named pipe`);
  return found !== null;
}

/** Wakes a recorder that sleeps in open(2) because nothing captures; it then reads an end of file. */
export async function wakeReader(path: string): Promise<void> {
  try {
    const writer = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    await writer.close();
  } catch (error) {
    // ENXIO: no reader. ENOENT: there never was a pipe. No one to wake in both cases.
    if (!hasErrorCode(error, 'ENXIO', 'ENOENT')) throw error;
  }
}

/**
 * Reads what a capture pipeline that is about to end still writes, so that it can end: without a reader its fifo thread sleeps
 * in open(2), where no signal reaches it. Does nothing while a recorder reads. Returns when the signal aborts.
 */
export async function drainRawPipe(path: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || (await hasReader(path))) return;
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    while (!signal.aborted) {
      if ((await readSome(reader, buffer)) === 0) await sleep(5);
    }
  } finally {
    await reader.close();
  }
}

async function readSome(reader: Awaited<ReturnType<typeof open>>, buffer: Buffer): Promise<number> {
  try {
    return (await reader.read(buffer, 0, buffer.length, null)).bytesRead;
  } catch (error) {
    if (hasErrorCode(error, 'EAGAIN')) return 0;
    throw error;
  }
}

async function hasReader(path: string): Promise<boolean> {
  try {
    const writer = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    await writer.close();
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENXIO')) return false;
    throw error;
  }
}
