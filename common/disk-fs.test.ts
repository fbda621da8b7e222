import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { open, removeFile, removeFolder, syncFile } from './disk-fs.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-disk-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('reads and writes whole texts and pieces', async () => {
  const path = join(folder, 'file');
  {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile('ä'.repeat(100));
    await file.writeFile('!');
  }
  expect(await readFile(path, 'utf8')).toBe(`${'ä'.repeat(100)}!`);
  await using file = await open(path);
  expect(await file.text()).toBe(`${'ä'.repeat(100)}!`);
  const pieces = [];
  for await (const piece of file.pieces({ start: 2, end: 8 }, 4)) pieces.push(piece.length);
  expect(pieces).toEqual([4, 3]);
});

test('removes a folder with all that is in it, follows no link, and is content with nothing', async () => {
  const outside = join(folder, 'outside');
  await writeFile(outside, 'kept');
  await mkdir(join(folder, 'take', 'cam0'), { recursive: true });
  await writeFile(join(folder, 'take', 'cam0', '0001.mkv'), '');
  await symlink(folder, join(folder, 'take', 'cam1'));
  await writeFile(Buffer.concat([Buffer.from(join(folder, 'take', 'odd-')), Buffer.from([0xff, 0xfe])]), '');
  await removeFolder(join(folder, 'take'));
  await removeFolder(join(folder, 'take'));
  await removeFile(join(folder, 'nothing'));
  await symlink(outside, join(folder, 'link'));
  await removeFolder(join(folder, 'link'));
  expect(await readdir(folder)).toEqual(['outside']);
});

test('syncs no link', async () => {
  await symlink(folder, join(folder, 'link'));
  await expect(syncFile(join(folder, 'link'))).rejects.toMatchObject({ code: 'ELOOP' });
});
