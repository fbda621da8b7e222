import { closeSync, existsSync, fstatSync, openSync, readdirSync, readlinkSync } from 'node:fs';
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
  tail.drain();
  const fd = descriptorOf(file);
  breakDescriptor(fd);
  expect(() => tail.drain()).toThrow('EIO');
  expect(() => tail[Symbol.dispose]()).not.toThrow();
  expect(lines).toEqual(['the last words']);
  expect(() => fstatSync(fd)).toThrow('EBADF');
});

function descriptorOf(file: string): number {
  const found = readdirSync('/proc/self/fd').find((fd) => {
    const link = `/proc/self/fd/${fd}`;
    return existsSync(link) && readlinkSync(link) === file;
  });
  return Number(found);
}

/** Reading at the start of a process's memory fails as a broken disk does, with EIO. */
function breakDescriptor(fd: number): void {
  closeSync(fd);
  const others: number[] = [];
  for (let opened = -1; opened !== fd; others.push(opened)) opened = openSync('/proc/self/mem', 'r');
  for (const other of others.slice(0, -1)) closeSync(other);
}
