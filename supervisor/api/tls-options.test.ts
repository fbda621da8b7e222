import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type SecureVersion } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTlsIdentity } from '../system/tls-identity.ts';
import { tlsServerOptions } from './tls-options.ts';

let server: ReturnType<typeof createServer>;

beforeAll(async () => {
  const { certPem: cert, keyPem: key } = await createTlsIdentity('suites', new Date());
  server = createServer({ ...tlsServerOptions, cert, key });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  const closed = once(server, 'close');
  server.close();
  await closed;
});

async function handshake(version: SecureVersion, ciphers: string): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ciphers: `${ciphers}:@SECLEVEL=0`,
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getCipher().name;
  } catch {
    return 'refused';
  } finally {
    socket.destroy();
  }
}

test.each([
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
  'AES128-SHA',
  'AES128-GCM-SHA256',
  'DHE-RSA-AES128-GCM-SHA256',
])('%s is not offered', async (suite) => {
  expect(await handshake('TLSv1.2', suite)).toBe('refused');
});

test.each(['TLSv1', 'TLSv1.1'] as const)('%s is not offered', async (version) => {
  expect(await handshake(version, 'ALL')).toBe('refused');
});

test('offers what players of the last ten years use', async () => {
  expect(await handshake('TLSv1.2', 'ALL')).toMatch(/GCM|CHACHA20/);
  expect(await handshake('TLSv1.3', 'ALL')).toMatch(/^TLS_AES/);
});
