import { readFileSync, writeFileSync } from 'node:fs';
import { hasErrorCode } from '../../common/errors.ts';

/**
 * How much sooner the kernel ends the supervisor than its children: the supervisor is back in a second, a lost frame is not.
 */
const stepBack = 400;
const highest = 1000;

/** The value that the service manager gave this process, for children that must live longer. */
export type OomScore = number;

/**
 * When memory runs out, the kernel should end the supervisor before a recorder or a pipeline. A process may only go down to the
 * value it was given, so the unit gives the low value and the supervisor raises its own. Null if the system has no such value.
 */
export function stepBehindChildren(file = '/proc/self/oom_score_adj'): OomScore | null {
  try {
    const given = Number(readFileSync(file, 'utf8'));
    writeFileSync(file, `${Math.min(highest, given + stepBack)}`);
    return given;
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

/** Gives a child the value that this process was given. False if the child is gone or the system refuses. */
export function giveOomScore(pid: number, score: OomScore): boolean {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, `${score}`);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EROFS');
}
