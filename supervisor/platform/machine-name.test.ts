import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ImageMachineName, machineNameOfImage } from './machine-name.ts';

test('writes a new name for the image once, readable for everybody', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-machine-'));
  try {
    const machine = new ImageMachineName(folder);
    await machine.set('stage-left');
    expect(await readFile(join(folder, 'name'), 'utf8')).toBe('stage-left\n');
    const first = await stat(join(folder, 'name'));
    expect(first.mode & 0o777).toBe(0o644);
    await machine.set('stage-left');
    expect((await stat(join(folder, 'name'))).ino).toBe(first.ino);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('asks once more for a name that avahi gave to somebody else, if there is one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-machine-'));
  try {
    const machine = new ImageMachineName(folder);
    await machine.askAgain();
    await expect(stat(join(folder, 'name'))).rejects.toMatchObject({ code: 'ENOENT' });
    await machine.set('stage-left');
    await machine.askAgain();
    expect(await readFile(join(folder, 'name'), 'utf8')).toBe('stage-left\nagain\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  [0, 's "stage-2"\n', 'stage-2'],
  [0, 's ""\n', null],
  [0, 's "a b"\n', null],
  [1, 's "stage"\n', null],
  [null, '', null],
])('reads the answer of busctl (%s, %j) as %s', async (code, stdout, name) => {
  const machine = new ImageMachineName('/nowhere', async () => ({ code, stdout, stderr: '' }));
  expect(await machine.answered()).toBe(name);
});

test('a machine without the image keeps its name', () => {
  expect(machineNameOfImage({})).toBeNull();
  expect(machineNameOfImage({ RUNTIME_DIRECTORY: '/run/rushlight' })).not.toBeNull();
});
