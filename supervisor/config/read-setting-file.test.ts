import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSecretFile, readSettingFile } from './read-setting-file.ts';

test('reads a file and rejects a device, a folder or a huge file at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-file-'));
  const file = join(folder, 'password');
  await writeFile(file, 'secret\n');
  expect((await readSettingFile(file)).toString()).toBe('secret\n');
  await truncate(file, 2 * 1024 * 1024);
  for (const unusable of ['/dev/zero', folder, file]) {
    await expect(readSettingFile(unusable)).rejects.toMatchObject({ code: 'SETTING_FILE_UNUSABLE' });
  }
  await expect(readSettingFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  await rm(folder, { recursive: true });
});

test.each([
  ['with one line end', Buffer.from('pass word \n')],
  ['of Windows', Buffer.from('pass word \r\n')],
  ['with a mark of UTF-8', Buffer.from('\ufeffpass word \r\n')],
  ['as UTF-16', Buffer.from('\ufeffpass word \r\n', 'utf16le')],
  ['as UTF-16, the other way round', Buffer.from('\ufeffpass word \n', 'utf16le').swap16()],
  ['with empty lines behind it', Buffer.from('pass word \n\n\n')],
])('returns the same password from a file %s', async (_how, bytes) => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-file-'));
  await writeFile(join(folder, 'password'), bytes);
  expect(await readSecretFile(join(folder, 'password'))).toBe('pass word ');
  await rm(folder, { recursive: true });
});

test.each(['', '\n', ' \r\n', '\0\0\0\0'])('treats %j as an empty file, not as a password', async (text) => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-file-'));
  await writeFile(join(folder, 'password'), text);
  await expect(readSecretFile(join(folder, 'password'))).rejects.toThrow('is empty');
  await rm(folder, { recursive: true });
});
