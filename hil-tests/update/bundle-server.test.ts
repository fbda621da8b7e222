import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BundleServer } from './bundle-server.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-server-'));
  await writeFile(join(folder, 'bundle'), 'abcdefghij');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('serves ranges, counts what it sent and can misbehave', async () => {
  await using server = new BundleServer((path) => (path === '/bundle' ? join(folder, 'bundle') : null));
  const address = `http://127.0.0.1:${await server.listen()}`;
  const part = () => fetch(`${address}/bundle`, { headers: { range: 'bytes=2-4' } });
  const good = await part();
  expect([good.status, good.headers.get('content-range'), await good.text()]).toEqual([
    206,
    'bytes 2-4/10',
    'cde',
  ]);
  expect([server.requests, server.sentBytes]).toEqual([1, 3]);
  expect((await fetch(`${address}/other`)).status).toBe(404);

  server.manners = 'no-range';
  const whole = await part();
  expect([whole.status, await whole.text()]).toEqual([200, 'abcdefghij']);

  server.manners = 'stalls';
  const stalled = await part();
  expect(stalled.status).toBe(206);
  const late = Promise.withResolvers<string>();
  setTimeout(() => late.resolve('nothing yet'), 200);
  expect(await Promise.race([stalled.text(), late.promise])).toBe('nothing yet');
  await stalled.body?.cancel().catch(() => {}); // Locked by the read that hangs.
});
