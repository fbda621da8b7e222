import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { giveOomScore, stepBehindChildren } from './oom-score.ts';

test('a process adjusts its inherited score, and hands that on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-oom-'));
  const file = join(folder, 'oom_score_adj');
  await writeFile(file, '-900\n');
  expect(stepBehindChildren(file)).toBe(-900);
  expect(await readFile(file, 'utf8')).toBe('-500');
  await writeFile(file, '900\n');
  stepBehindChildren(file);
  expect(await readFile(file, 'utf8')).toBe('1000');
  expect(stepBehindChildren(join(folder, 'none'))).toBeNull();
  await rm(folder, { recursive: true });
});

test('sets the value of a child; a missing one is no error', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  expect(giveOomScore(pid, 321)).toBe(true);
  expect(await readFile(`/proc/${pid}/oom_score_adj`, 'utf8')).toBe('321\n');
  const gone = once(child, 'exit');
  child.kill();
  await gone;
  expect(giveOomScore(pid, 321)).toBe(false);
});
