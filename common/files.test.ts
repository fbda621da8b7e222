import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ifThere, readTextIfThere, removeLeftovers, writeFileAtomic } from './files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('replaces a file, creates its folder and leaves nothing else behind', async () => {
  const file = join(folder, 'deep', 'one.json');
  await writeFileAtomic(file, 'old');
  await writeFileAtomic(file, 'new');
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(await readdir(join(folder, 'deep'))).toEqual(['one.json']);
});

test('replaces a link with the file instead of following it', async () => {
  const [outside, file] = [join(folder, 'outside'), join(folder, 'file')];
  await writeFile(outside, 'secret');
  await symlink(outside, file);
  await writeFileAtomic(file, 'new');
  expect(await readFile(outside, 'utf8')).toBe('secret');
  expect(await readFile(file, 'utf8')).toBe('new');
});

test('sets the requested permissions regardless of the umask', async () => {
  const umask = process.umask(0o077);
  try {
    await writeFileAtomic(join(folder, 'open'), '', { mode: 0o644 });
    await writeFileAtomic(join(folder, 'closed'), '');
  } finally {
    process.umask(umask);
  }
  expect((await stat(join(folder, 'open'))).mode & 0o777).toBe(0o644);
  expect((await stat(join(folder, 'closed'))).mode & 0o777).toBe(0o600);
});

test('a failed write keeps the old file and leaves nothing behind', async () => {
  const file = join(folder, 'taken');
  await mkdir(join(file, 'inside'), { recursive: true });
  await expect(writeFileAtomic(file, 'x')).rejects.toMatchObject({ code: 'EISDIR' });
  expect(await readdir(folder)).toEqual(['taken']);
});

test('removes what an interrupted write left behind, and nothing else', async () => {
  for (const name of ['.one.tmp-1', '.two.tmp-1', 'one']) await writeFile(join(folder, name), '');
  await removeLeftovers(join(folder, 'one'));
  expect((await readdir(folder)).sort()).toEqual(['.two.tmp-1', 'one']);
  await removeLeftovers(join(folder, 'none', 'one'));
});

test('returns null for a missing file and passes on every other error', async () => {
  expect(await readTextIfThere(join(folder, 'none'))).toBeNull();
  await writeFile(join(folder, 'file'), 'text');
  expect(await readTextIfThere(join(folder, 'file'))).toBe('text');
  expect(await readTextIfThere(join(folder, 'file', 'below'))).toBeNull();
  await expect(readTextIfThere(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  await chmod(folder, 0o700);
  await expect(ifThere(Promise.reject(new Error('other')))).rejects.toThrow('other');
});
