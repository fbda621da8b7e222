import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freeBytesFor } from './disk.ts';

test('the space of a folder that is yet to be made is that of the disk it will lie on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-disk-'));
  try {
    expect(await freeBytesFor(join(folder, 'takes', 'deeper'))).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
