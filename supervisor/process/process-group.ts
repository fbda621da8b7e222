import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isThere, signalGroup } from '../../common/other-process.ts';
import { markVariable } from './child.ts';
import { isDead, readProcStat } from './proc-stat.ts';

const pollMs = 20;
/** How long the kernel gets to tear down what SIGKILL ended, before we continue without it. */
const afterKillMs = 3000;

/** Whether a group has a living process; zombies do not count. */
export function groupLives(groupId: number): boolean {
  if (!isThere(-groupId)) return false;
  return livingPids().some((pid) => {
    const stat = readProcStat(pid);
    return stat !== undefined && stat.groupId === groupId && !isDead(stat);
  });
}

/** Ends a group: the signal, then SIGKILL after the time-out. True if nothing of it is left. */
export async function endGroup(groupId: number, signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
  if (!signalGroup(groupId, signal)) return true;
  if (await groupGone(groupId, timeoutMs)) return true;
  signalGroup(groupId, 'SIGKILL');
  return groupGone(groupId, afterKillMs);
}

async function groupGone(groupId: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  let waitMs = pollMs;
  while (groupLives(groupId)) {
    if (performance.now() >= deadline) return false;
    await sleep(waitMs);
    waitMs = Math.min(waitMs * 2, 200);
  }
  return true;
}

/** The living processes that carry a mark starting with `prefix` in their environment: pid and whole mark. */
export function markedProcesses(prefix: string): { readonly pid: number; readonly mark: string }[] {
  return livingPids().flatMap((pid) => {
    const mark = readMark(pid);
    return mark?.startsWith(prefix) === true ? [{ pid, mark }] : [];
  });
}

function readMark(pid: number): string | undefined {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return entries.find((entry) => entry.startsWith(`${markVariable}=`))?.slice(markVariable.length + 1);
  } catch {
    // Gone meanwhile, or another user's: either way not one of ours.
    return undefined;
  }
}

function livingPids(): number[] {
  return readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? [Number(entry)] : []));
}
