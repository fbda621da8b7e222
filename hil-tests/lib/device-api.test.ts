import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DeviceApi } from './device-api.ts';
import { runTool } from './run-tool.ts';

/** A device that takes one token, which can be changed, and writes down who came. */
async function device(token: () => string) {
  const folder = await mkdtemp(join(tmpdir(), 'rig-api-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=device', '-days', '2', '-nodes', '-newkey', 'ec'];
  const curve = ['-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  await runTool(['openssl', 'req', '-x509', ...subject, ...curve, '-keyout', key, '-out', cert]);
  const seen: string[] = [];
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (request, answer) => {
    const given = request.headers.authorization ?? 'nobody';
    seen.push(given);
    answer.statusCode = given === `Bearer ${token()}` ? 200 : 401;
    answer.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await rm(folder, { recursive: true });
  const endpoint = () => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  return { endpoint, seen, [Symbol.dispose]: () => void server.close() };
}

test('asks for the token once, and again when the device has a new one', async () => {
  let current = 'first';
  let asked = 0;
  using fake = await device(() => current);
  const api = new DeviceApi(fake.endpoint, async () => {
    asked++;
    return current;
  });
  expect((await api.call('readyz')).status).toBe(401);
  expect(fake.seen).toEqual(['nobody']);
  await api.call('getStatus');
  expect((await api.call('getStatus')).status).toBe(200);
  expect(asked).toBe(1);
  current = 'second';
  expect((await api.call('getStatus')).status).toBe(200);
  expect(asked).toBe(2);
  expect(fake.seen.slice(1)).toEqual(['Bearer first', 'Bearer first', 'Bearer first', 'Bearer second']);
});
