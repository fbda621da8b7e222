import { once } from 'node:events';
import { createServer, request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { fingerprintToPin, pinTls, serverCertificate } from './pinned-tls.ts';
import { fakeIdentity } from './tls-identity.fake.ts';

const never = new AbortController().signal;

describe('pinTls', () => {
  // Certificates of every length, as far as their encoding in lines goes.
  it.each(Array.from({ length: 16 }, (_, i) => 'hub'.padEnd(3 + 3 * i, 'x')))(
    'gives what reaches %s, and refuses it under another pin',
    async (name) => {
      const identity = fakeIdentity(name);
      const server = createServer(identity, (_request, response) => response.end('here'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const address = server.address();
        if (address === null || typeof address === 'string') throw new Error('no port');
        const url = new URL(`https://127.0.0.1:${address.port}`);
        const shown = await serverCertificate(url, never);
        expect(shown).toMatchObject({ fingerprint: identity.fingerprint, vouchedFor: false });
        expect(fingerprintToPin(shown)).toBe(identity.fingerprint);
        await expect(pinTls(url, '0'.repeat(64), never)).rejects.toMatchObject({ code: 'HUB_KEY_CHANGED' });
        const tls = await pinTls(url, identity.fingerprint, never);
        const asked = request(url, { ...tls, agent: false }).end();
        const [response] = await once(asked, 'response');
        expect(response.statusCode).toBe(200);
        response.resume();
      } finally {
        server.close();
        server.closeAllConnections();
      }
    },
  );
});
