import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findBundles } from './offline.ts';

let media: string;
beforeEach(async () => {
  media = await mkdtemp(join(tmpdir(), 'media-'));
});
afterEach(() => rm(media, { recursive: true, force: true }));

const nothingFails = (path: string, error: unknown) => {
  throw new Error(path, { cause: error });
};

test('finds bundles on sticks and beside them, the newest first', async () => {
  await mkdir(join(media, 'stick', 'deeper'), { recursive: true });
  const files = ['old.raucb', 'stick/new.raucb', 'stick/notes.txt', 'stick/deeper/hidden.raucb'];
  for (const file of files) await writeFile(join(media, file), file);
  await utimes(join(media, 'old.raucb'), 1, 1);
  await mkdir(join(media, 'stick', 'folder.raucb'));
  expect(await findBundles([join(media, 'none'), media], nothingFails)).toEqual([
    { path: join(media, 'stick/new.raucb'), sizeBytes: 'stick/new.raucb'.length },
    { path: join(media, 'old.raucb'), sizeBytes: 'old.raucb'.length },
  ]);
});

test('reports what cannot be read, and finds the rest', async () => {
  // A link to itself stands for every error that a broken stick may give.
  for (const name of ['broken', 'broken.raucb']) await symlink(name, join(media, name));
  await writeFile(join(media, 'good.raucb'), 'x');
  const unreadable = new Map<string, unknown>();
  const found = await findBundles([media], (path, error) => unreadable.set(path, error));
  expect(found).toEqual([{ path: join(media, 'good.raucb'), sizeBytes: 1 }]);
  expect([...unreadable.keys()].sort()).toEqual([join(media, 'broken'), join(media, 'broken.raucb')]);
  for (const error of unreadable.values()) expect(error).toMatchObject({ code: 'ELOOP' });
});
