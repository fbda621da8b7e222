/**
 * Runs in each test file's worker. Ends what the file's tests started and left running, after saying what it was: a process that
 * holds the worker's standard output would keep vitest waiting forever after the last test.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect } from 'vitest';
import { errorCode } from '../../common/errors.ts';

const variable = 'RUSHLIGHT_TEST_FILE_RUN';
/** How long a process that is about to end has for that. */
const graceMs = 3_000;

const mark = randomUUID();
// Every process that a test starts gets it, and passes it on.
process.env[variable] = mark;

afterAll(async () => {
  const deadline = performance.now() + graceMs;
  let left = await processesMarked(mark);
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(100);
    left = await processesMarked(mark);
  }
  for (const { pid, command } of left) {
    console.warn(`${expect.getState().testPath ?? 'a test file'} left process ${pid} running: ${command}`);
    end(pid);
  }
});

/** Processes whose environment contains the mark. Does not include processes of somebody else or ones that have just ended. */
async function processesMarked(mark: string): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!(await readFile(`/proc/${name}/environ`, 'latin1')).includes(`${variable}=${mark}`)) continue;
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8');
      if (command !== '') found.push({ pid: Number(name), command: command.replaceAll('\0', ' ').trim() });
    } catch {
      // Ended while we looked, or not ours to read.
    }
  }
  return found;
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
