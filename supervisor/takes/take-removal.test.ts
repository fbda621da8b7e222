import { pino } from 'pino';
import { expect, test } from 'vitest';
import { StateStore } from '../config/state.ts';
import type { Take } from '../contract/index.ts';
import { TakeBook } from './take-book.ts';
import { TakeRemoval } from './take-removal.ts';
import { awaitedCamera } from './take-state.ts';

test('logs a removal that failed after its caller gave up, and ends no process', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  const state = new StateStore({ file: '/nonexistent/state.json', logger: log });
  const book = new TakeBook({ state, onTake: () => {}, onGone: () => {}, log });
  const camera = { ...awaitedCamera('cam0', null), state: 'verified' as const, segments: 1 };
  const [startedAt, stoppedAt] = ['2026-11-22T12:00:00.000Z', '2026-11-22T12:01:00.000Z'];
  const take: Take = { id: 'done', startedAt, stoppedAt, state: 'verified', cameras: [camera] };
  book.addFound([take]);
  const local = {
    remove: () =>
      Promise.reject(Object.assign(new Error('the disk is read-only'), { code: 'TAKE_NOT_REMOVED' })),
  };
  // As where the request was refused as too late, and its turn came nevertheless.
  void new TakeRemoval({ book, local, log }).begin('done');
  await expect.poll(() => lines.join('')).toContain('the disk is read-only');
});
