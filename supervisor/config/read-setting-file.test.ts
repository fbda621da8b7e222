import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSettingFile } from './read-setting-file.ts';

test('a file is read; a device, a folder and a file beyond all measure are refused at once', async () => {
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
