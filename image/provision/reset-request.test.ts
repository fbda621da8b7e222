import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeResetRequest } from './reset-request.ts';

test('resets once when the file is there, however an editor spells its name', async () => {
  const card = await mkdtemp(join(tmpdir(), 'rushlight-card-'));
  await writeFile(join(card, 'rushlight.toml'), '');
  expect(await takeResetRequest(card)).toBe(false);
  for (const name of ['factory-reset', 'Factory-Reset.TXT']) {
    await writeFile(join(card, name), 'please');
    expect(await takeResetRequest(card)).toBe(true);
    expect(await takeResetRequest(card)).toBe(false);
  }
  expect(await readdir(card)).toEqual(['rushlight.toml']);
  await rm(card, { recursive: true });
  await expect(takeResetRequest(card)).rejects.toMatchObject({ code: 'ENOENT' });
});
