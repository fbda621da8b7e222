import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let data = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rushlight-preinst-'));
  mkdirSync(join(data, 'run', 'children'), { recursive: true });
});
afterEach(() => rmSync(data, { recursive: true }));

/** Whether the script sees a recorder in this folder of data. */
function seesRecorder(): boolean {
  const script = readFileSync(join(import.meta.dirname, 'preinst'), 'utf8').replaceAll(
    '/var/lib/rushlight',
    data,
  );
  const functions = script.slice(0, script.indexOf('\nif '));
  return spawnSync('sh', ['-c', `${functions}\nhas_recorder`]).status === 0;
}

function child(name: string, pid: number): void {
  writeFileSync(
    join(data, 'run', 'children', `${name}.json`),
    `${JSON.stringify({ name, pid, startTicks: 1 })}\n`,
  );
}

test('a machine that does not answer is seen to record by its recorders', () => {
  expect(seesRecorder()).toBe(false);
  child('capture-cam0', process.pid);
  expect(seesRecorder()).toBe(false);
  child('record-20261130T101500-cam0-0001', process.pid);
  expect(seesRecorder()).toBe(true);
});

test('the file of a recorder that has ended counts for nothing', () => {
  const ended = spawnSync('true').pid;
  child('record-20261130T101500-cam0-0001', ended);
  expect(seesRecorder()).toBe(false);
});
