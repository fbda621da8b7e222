import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StateStore } from '../config/state.ts';
import { FakeHost } from '../platform/host.fake.ts';
import { readIdentity } from './identity.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-identity-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Of a machine whose board has no number. */
async function nameOf(nameFile: string | null): Promise<string> {
  const host = new FakeHost();
  host.identityFacts = { ...host.identityFacts, serial: null };
  const state = new StateStore({ file: join(folder, 'state.json'), logger: pino({ level: 'silent' }) });
  await state.load();
  return (await readIdentity(state, host, nameFile)).defaultName;
}

test('uses the machine name by default, so that DHCP, avahi, page and certificate agree', async () => {
  const file = join(folder, 'name');
  await writeFile(file, 'rushlight-cdef\n');
  expect(await nameOf(file)).toBe('rushlight-cdef');
});

test('uses the id if there is no usable machine name', async () => {
  const file = join(folder, 'name');
  const own = await nameOf(null);
  expect(own).toMatch(/^rushlight-[0-9a-f]{4}$/);
  expect(await nameOf(file)).toBe(own);
  await writeFile(file, 'Not A Name\n');
  expect(await nameOf(file)).toBe(own);
});
