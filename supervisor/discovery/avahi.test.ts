import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { avahiServiceFile, writeServiceFile } from './avahi.ts';

test('the service file carries the contract of the TXT record, escaped', () => {
  const file = avahiServiceFile('a<b>&"c', 443, {
    id: '10000000abcd',
    role: 'camera',
    ver: '0.1.0',
    path: '/',
    tls: null,
  });
  expect(file).toContain('<name>a&#60;b&#62;&#38;&#34;c</name>');
  expect(file).toContain('<type>_rushlight._tcp</type>');
  expect(file).toContain('<port>443</port>');
  expect(file.match(/<txt-record>[^<]*/g)).toEqual([
    '<txt-record>id=10000000abcd',
    '<txt-record>role=camera',
    '<txt-record>ver=0.1.0',
    '<txt-record>path=/',
    '<txt-record>tls=',
  ]);
});

test('avahi, another user, can read the file under a strict umask', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-avahi-'));
  const umask = process.umask(0o077);
  try {
    const file = join(folder, 'rushlight.service');
    await writeServiceFile(file, 'text');
    expect((await stat(file)).mode & 0o777).toBe(0o644);
  } finally {
    process.umask(umask);
    await rm(folder, { recursive: true, force: true });
  }
});
