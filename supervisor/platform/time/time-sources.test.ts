import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serverOfUrl, sourcesFile, timeRoleFile, writeTimeRole } from './time-sources.ts';

test('the server is the host of the URL', () => {
  expect(serverOfUrl('https://10.0.0.5:443')).toBe('10.0.0.5');
  expect(serverOfUrl('http://stage.local')).toBe('stage.local');
  expect(serverOfUrl('https://[fd00::5]/')).toBe('fd00::5');
  expect(serverOfUrl('nonsense')).toBeNull();
});

test('writes at most one line for chrony, whatever the URL', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl()), (url) => {
      const text = sourcesFile({ kind: 'follow', server: serverOfUrl(url) });
      expect(text).toMatch(/^(?:#[^\n]*|server [0-9A-Za-z.:-]+ iburst xleave [a-z0-9 ]+)\n$/);
    }),
  );
});

test('a hub follows no other', () => {
  expect(sourcesFile({ kind: 'serve' })).toMatch(/^#/);
  expect(timeRoleFile({ kind: 'serve' }, false)).toBe('serve\n');
  expect(timeRoleFile({ kind: 'follow', server: null }, true)).toBe('follow step\n');
});

test('chronyd may read the files under any umask', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'time-'));
  const umask = process.umask(0o077);
  try {
    await writeTimeRole(folder, { kind: 'follow', server: '10.0.0.5' });
    for (const name of ['chrony/hub.sources', 'time']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o644);
    }
    expect(await readFile(join(folder, 'time'), 'utf8')).toBe('follow\n');
  } finally {
    process.umask(umask);
    await rm(folder, { recursive: true });
  }
});
