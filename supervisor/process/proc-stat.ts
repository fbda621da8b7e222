import { readFileSync } from 'node:fs';
import { errorCode } from '../../common/errors.ts';

/** What proc(5) says about a process, as far as we use it. */
export interface ProcStat {
  readonly pid: number;
  /** One letter; Z and X are dead. */
  readonly state: string;
  readonly parentPid: number;
  readonly groupId: number;
  /** Clock ticks between boot and the start of the process; together with the pid this identifies a process for good. */
  readonly startTicks: number;
}

/** Parses `/proc/<pid>/stat`; undefined if the text is something else. The command may contain anything. */
export function parseProcStat(text: string): ProcStat | undefined {
  const match = /^(\d+) \(.*\) ([A-Za-z]) (.*)$/s.exec(text.trimEnd());
  if (match === null) return undefined;
  const [, pid, state, rest] = match;
  const fields = rest?.split(' ').map(Number) ?? [];
  const [parentPid, groupId] = fields;
  const startTicks = fields[18];
  if (state === undefined || parentPid === undefined || groupId === undefined || startTicks === undefined) {
    return undefined;
  }
  if (![parentPid, groupId, startTicks].every(Number.isSafeInteger)) return undefined;
  return { pid: Number(pid), state, parentPid, groupId, startTicks };
}

/** Reads one process; undefined if it does not exist (any more). One or two system calls, no fork. */
export function readProcStat(pid: number): ProcStat | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}

/** Whether exactly the process that started at `startTicks` lives; a zombie does not. */
export function isAlive(pid: number, startTicks: number): boolean {
  const stat = readProcStat(pid);
  return stat !== undefined && stat.startTicks === startTicks && !isDead(stat);
}

/** Whether the process has ended, even if it was not reaped. */
export function isDead(stat: ProcStat): boolean {
  return stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
}
