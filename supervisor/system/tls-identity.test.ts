import { once } from 'node:events';
import { createServer } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { createTlsIdentity } from './tls-identity.ts';

test('a TLS client sees the certificate with the reported fingerprint, valid even if the clock is at its start', async () => {
  const identity = await createTlsIdentity('stage-left', new Date(0));
  const server = createServer({ cert: identity.certPem, key: identity.keyPem });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const socket: TLSSocket = connect({ port: address.port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const peer = socket.getPeerCertificate();
  socket.destroy();
  server.close();

  expect(peer.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(identity.fingerprint);
  expect(peer.subjectaltname).toContain('DNS:stage-left.local');
  expect(new Date(peer.valid_from).getUTCFullYear()).toBe(2020);
  expect(new Date(peer.valid_to).getUTCFullYear()).toBeGreaterThanOrEqual(2035);
});
