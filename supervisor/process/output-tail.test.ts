import { closeSync, openSync } from 'node:fs';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OutputTail } from './output-tail.ts';

const logger = pino({ level: 'silent' });
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'output-tail-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a disk that gives nothing back does not hide that the child has ended', async () => {
  const lines: string[] = [];
  const file = join(folder, 'stderr');
  const tail = new OutputTail({ file, from: 0, logger, onLine: (line) => lines.push(line) });
  tail.open();
  await appendFile(file, 'the last words');
  await expect.poll(() => Reflect.get(tail, 'offset')).toBe('the last words'.length);
  // Reading at the start of a process's memory fails as a broken disk does, with EIO.
  closeSync(Reflect.get(tail, 'fd'));
  Reflect.set(tail, 'fd', openSync('/proc/self/mem', 'r'));
  Reflect.set(tail, 'offset', 0);
  expect(() => tail[Symbol.dispose]()).not.toThrow();
  expect(lines).toEqual(['the last words']);
  expect(Reflect.get(tail, 'fd')).toBeUndefined();
});
