import type { Logger } from 'pino';
import { DiskSilentError } from '../../../common/disk-gate.ts';
import { errorCode } from '../../../common/errors.ts';
import { pause } from '../../../common/pause.ts';
import { NoAnswerError } from '../errors.ts';

/** The system's errors if a disk fails, is full or protected: all of them may pass. */
const troubles = new Map([
  ['EIO', 'Input/output error'],
  ['ENOSPC', 'No space left on device'],
  ['EROFS', 'Read-only file system'],
  ['EDQUOT', 'Disk quota exceeded'],
  ['ENODEV', 'No such device'],
  ['ENXIO', 'No such device or address'],
  ['EUCLEAN', 'Structure needs cleaning'],
  ['EBADMSG', 'Bad message'],
  ['ESTALE', 'Stale file handle'],
  ['EREMOTEIO', 'Remote I/O error'],
  ['ETIMEDOUT', 'Connection timed out'],
  ['ENOTCONN', 'Transport endpoint is not connected'],
  ['EMFILE', 'Too many open files'],
  ['ENFILE', 'Too many open files in system'],
  ['ENOMEM', 'Cannot allocate memory'],
]);
/** Further messages of ffmpeg's Matroska reader. */
const readError = 'Read error at pos';

const pausesMs = [500, 1000, 2000, 4000, 8000];

/** Whether a disk failed, so that the same may succeed in a while. */
export function isDiskTrouble(error: unknown): boolean {
  // A file that could neither be written nor closed.
  if (error instanceof SuppressedError) return isDiskTrouble(error.error) || isDiskTrouble(error.suppressed);
  if (error instanceof DiskSilentError || error instanceof NoAnswerError) return true;
  return troubles.has(errorCode(error) ?? '');
}

/** Whether a disk does not answer, so that what was asked of it may still happen. */
export function isSilence(error: unknown): boolean {
  if (error instanceof SuppressedError) return isSilence(error.error) || isSilence(error.suppressed);
  return (
    error instanceof DiskSilentError || (error instanceof Error && error.cause instanceof DiskSilentError)
  );
}

/** Whether a line of ffmpeg is about a disk, and not about the content it read there. Pure. */
export function isDiskComplaint(line: string): boolean {
  return line.includes(readError) || [...troubles.values()].some((text) => line.includes(text));
}

/** What is wrong with the masters' disk, and what to do about it, for people. Undefined for errors of other kinds. Pure. */
export function diskReason(error: unknown): string | undefined {
  if (error instanceof SuppressedError) return diskReason(error.suppressed) ?? diskReason(error.error);
  if (error instanceof DiskSilentError) return `the disk of the masters ${silence}`;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return undefined;
  const what = reasons[code] ?? 'failed or was taken away: check its plug, then use another disk';
  return `the disk of the masters ${what} (${code})`;
}

/** What is said of a disk that hangs. */
export const silence =
  'does not answer: check its plug and its power, then use another disk. What reached it is kept';

const reasons: Readonly<Record<string, string>> = {
  EROFS:
    'can only be read: it is write-protected, or the system found errors on it. Check it on a computer, or use another disk',
  ENOSPC: 'is full, or has no room for more files: delete takes, or use another disk',
  EDQUOT: 'is full: delete takes, or use another disk',
  EACCES: 'does not let the appliance write: check who owns its folder',
  EPERM: 'does not let the appliance write: check who owns its folder',
  ENOENT: 'was taken away: plug it in again',
  ENOTDIR: 'has a file where the folder of the takes should be: remove that file',
  EUCLEAN: 'has errors in its file system: check it on a computer, or use another disk',
};

/** The number of the attempt, from 1 on, and whether another follows. */
export interface Attempt {
  readonly number: number;
  readonly isLast: boolean;
}

/** An attempt that is not repeated. */
export const onlyAttempt: Attempt = { number: 1, isLast: true };

/**
 * Repeats an operation for as long as the disk fails, up to a quarter of a minute. Rejects with the operation's error, with the
 * signal's reason, and at once with errors of other kinds, and if the disk does not answer: that was waited for already.
 */
export async function withPatience<T>(
  work: (attempt: Attempt) => Promise<T>,
  { signal, logger }: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<T> {
  for (const [index, pauseMs] of pausesMs.entries()) {
    try {
      return await work({ number: index + 1, isLast: false });
    } catch (error) {
      if (signal.aborted || !isDiskTrouble(error) || isSilence(error)) throw error;
      logger.warn({ err: error }, 'the disk of the masters fails; trying again');
    }
    // An abort only ends the pause early.
    await pause(pauseMs, signal);
    signal.throwIfAborted();
  }
  return await work({ number: pausesMs.length + 1, isLast: true });
}
