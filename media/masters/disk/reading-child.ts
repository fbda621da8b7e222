import { setTimeout as sleep } from 'node:timers/promises';
import type { Child, ChildExit } from '../../../common/child-host.ts';
import { gateOf } from '../../../common/disk-gate.ts';
import { bytesRead, isThere } from '../../../common/other-process.ts';

/** What a child reads. */
export interface Reading {
  readonly file: string;
  /** Whether it was paused. */
  readonly isResting?: () => boolean;
  /** How long it may read nothing, in milliseconds. Default 60 s: longer than a healthy disk takes to start up or to tidy up. */
  readonly patienceMs?: number | undefined;
}

const defaultPatienceMs = 60_000;
const lookMs = 1000;
/** For how long a disk at least counts as silent if a child waited for it in vain, in milliseconds. */
const silentMs = 10_000;

/**
 * How a child ended that reads a file. One that reads nothing for a while waits for a disk that hangs: it is ended, and the disk
 * counts as silent until the kernel has let go of the child.
 * @throws DiskSilentError
 */
export async function endOfReader(child: Child, reading: Reading): Promise<ChildExit> {
  const { file, isResting = () => false, patienceMs = defaultPatienceMs } = reading;
  let [known, sinceMs] = [await bytesRead(child.pid), performance.now()];
  while (performance.now() - sinceMs < patienceMs) {
    const exit = await Promise.race([child.exited, sleep(Math.min(lookMs, patienceMs))]);
    if (exit !== undefined) return exit;
    const now = await bytesRead(child.pid);
    if (now === null || now !== known || isResting()) [known, sinceMs] = [now, performance.now()];
  }
  await child.stop();
  // Nobody waits for this answer; until it comes, the disk counts as silent.
  await gateOf(file).run(() => untilGone(child.pid), { patienceMs: 0 });
  return await child.exited;
}

async function untilGone(pid: number): Promise<void> {
  do await sleep(silentMs, undefined, { ref: false });
  while (isThere(pid));
}
