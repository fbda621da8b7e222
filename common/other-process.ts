import { readFile } from 'node:fs/promises';
import { errorCode } from './errors.ts';

/** Whether a process, or a group by its negative number, is still there, as inside a system call that does not return. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Signals every process of a group; false if none is left. */
export function signalGroup(groupId: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Bytes that a process has read so far, from wherever (proc_pid_io(5)); null if that is unknown. */
export async function bytesRead(pid: number): Promise<number | null> {
  try {
    const found = /^rchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'));
    return found === null ? null : Number(found[1]);
  } catch {
    // It has just ended, or this kernel does not count: then it is not watched.
    return null;
  }
}
