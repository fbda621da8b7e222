import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, it, vi } from 'vitest';
import { TakeStore } from './take-store.ts';

/** While set, what a folder holds is answered late, as a slow disk does. */
let slow: PromiseWithResolvers<void> | null = null;

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const readdir = async (path: string) => {
    const answer = slow?.promise;
    const found = await real.readdir(path);
    await answer;
    return found;
  };
  return { ...real, readdir };
});

it('A take that begins while a slow disk is scanned is not mistaken for a missing one', async () => {
  const root = await mkdtemp(join(tmpdir(), 'takes-'));
  const store = new TakeStore({
    logger: pino({ level: 'silent' }),
    roots: () => [root],
  });
  slow = Promise.withResolvers();
  const looking = store.list();
  const { resolve } = slow;
  slow = null;
  const take = await store.createTake('one', new Date());
  resolve();
  await looking;
  expect(await store.get('one')).toBe(take);
  await rm(root, { recursive: true });
});
