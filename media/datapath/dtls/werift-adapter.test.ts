import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { DtlsServer, ProtectionProfileAeadAes128Gcm } from 'werift';
import type { DtlsFingerprint } from '../datapath.ts';
import type { SrtpProfile } from '../srtp/srtp-keys.ts';
import { splitRecords } from './dtls-records.ts';
import {
  createDtlsCertificate,
  type DtlsCertificate,
  DtlsEndpoint,
  type DtlsKeys,
} from './werift-adapter.ts';

interface Side {
  endpoint: DtlsEndpoint;
  keys: DtlsKeys | null;
  error: Error | null;
  closed: boolean;
}

let certificates: [DtlsCertificate, DtlsCertificate];

/** Two endpoints wired to each other. `intercept` sees each datagram and may replace or drop it. */
function connect(
  options: {
    serverExpects?: DtlsFingerprint;
    clientExpects?: DtlsFingerprint;
    clientCertificate?: DtlsCertificate;
    serverCertificate?: DtlsCertificate;
    serverPrefers?: SrtpProfile;
    intercept?: (datagram: Buffer, to: 'client' | 'server') => Buffer | null;
  } = {},
): { client: Side; server: Side } {
  const [clientCertificate, serverCertificate] = certificates;
  const make = (role: 'client' | 'server', peer: () => Side): Side => {
    const side: Side = {
      keys: null,
      error: null,
      closed: false,
      endpoint: new DtlsEndpoint({
        role,
        ...(role === 'server' && options.serverPrefers !== undefined && { preferred: options.serverPrefers }),
        certificate:
          role === 'client'
            ? (options.clientCertificate ?? clientCertificate)
            : (options.serverCertificate ?? serverCertificate),
        fingerprints: [
          role === 'client'
            ? (options.clientExpects ?? serverCertificate.fingerprint)
            : (options.serverExpects ?? clientCertificate.fingerprint),
        ],
        send: (datagram) => {
          const to = role === 'client' ? 'server' : 'client';
          const passed = options.intercept === undefined ? datagram : options.intercept(datagram, to);
          if (passed !== null) setImmediate(() => peer().endpoint.receive(Buffer.from(passed)));
        },
        onConnected: (keys) => {
          side.keys = keys;
        },
        onFailed: (error) => {
          side.error = error;
        },
        onClosed: () => {
          side.closed = true;
        },
      }),
    };
    return side;
  };
  const client: Side = make('client', () => server);
  const server: Side = make('server', () => client);
  server.endpoint.start();
  client.endpoint.start();
  return { client, server };
}

/** What a thief has: the certificate, which everybody may see, and a key of his own. */
function stolen(certificate: DtlsCertificate, thief: DtlsCertificate): DtlsCertificate {
  return { ...certificate, material: { ...certificate.material, keyPem: thief.material.keyPem } };
}

/** The same numbers in every run (mulberry32). */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 800 && !condition(); i++) await sleep(25);
  expect(condition()).toBe(true);
}

/** What the adapter relies on inside werift: a new version that moves one of these fields fails here. */
describe('werift contract', () => {
  beforeAll(async () => {
    certificates = [await createDtlsCertificate(), await createDtlsCertificate()];
  });

  it('exports mirrored SRTP keys, AES-GCM preferred', async () => {
    const { client, server } = connect();
    await until(() => client.keys !== null && server.keys !== null);
    expect(server.keys?.local.profile).toBe('aead-aes-128-gcm');
    expect(server.keys?.local).toEqual(client.keys?.remote);
    expect(server.keys?.remote).toEqual(client.keys?.local);
    expect(server.keys?.local.key).toHaveLength(16);
    expect(server.keys?.local.salt).toHaveLength(12);
    expect(server.keys?.local.key).not.toEqual(server.keys?.remote.key);
    client.endpoint.close();
    server.endpoint.close();
  });

  it('uses the profile that a server prefers', async () => {
    for (const serverPrefers of ['aead-aes-128-gcm', 'aes-128-cm-hmac-sha1-80'] as const) {
      const { client, server } = connect({ serverPrefers });
      await vi.waitFor(() => expect(client.keys !== null && server.keys !== null).toBe(true), 5000);
      expect(server.keys?.local.profile).toBe(serverPrefers);
      expect(client.keys?.local.profile).toBe(serverPrefers);
    }
  });

  it('sends a close alert, and the peer receives it', async () => {
    const { client, server } = connect();
    await until(() => client.keys !== null && server.keys !== null);
    server.endpoint.close();
    await until(() => client.closed);
    client.endpoint.close();
    expect(server.closed).toBe(false);
  });

  it('ignores a close alert from a stranger', async () => {
    const { client, server } = connect();
    await until(() => client.keys !== null && server.keys !== null);
    client.endpoint.receive(
      Buffer.from('15fefd0001000000000009001a0001000000000009aabbccddeeff00112233445566778899', 'hex'),
    );
    client.endpoint.receive(Buffer.from('15fefd000000000000000900020100', 'hex'));
    client.endpoint.receive(Buffer.from('16fefd00000000000000ff0001ff', 'hex'));
    client.endpoint.receive(Buffer.alloc(40, 0x16));
    await sleep(50);
    expect(client.closed).toBe(false);
    server.endpoint.close();
    await until(() => client.closed);
  });

  it('rejects a peer whose certificate differs from its SDP', async () => {
    const [clientCertificate] = certificates;
    const { client, server } = connect({ clientExpects: clientCertificate.fingerprint });
    await until(() => client.error !== null);
    expect(client.error).toMatchObject({ code: 'DTLS_FAILED' });
    expect(client.keys).toBeNull();
    client.endpoint.close();
    server.endpoint.close();
  });

  it('rejects a client that does not hold the key of its certificate', async () => {
    const [client_, stranger] = certificates;
    const { client, server } = connect({ clientCertificate: stolen(client_, stranger) });
    await until(() => server.error !== null);
    expect(server.error?.message).toContain('does not hold the key');
    expect(server.keys).toBeNull();
    client.endpoint.close();
    server.endpoint.close();
  });

  it('rejects a server that does not hold the key of its certificate', async () => {
    const [stranger, server_] = certificates;
    const { client, server } = connect({ serverCertificate: stolen(server_, stranger) });
    await until(() => client.error !== null);
    expect(client.error?.message).toContain('does not hold the key');
    expect(client.keys).toBeNull();
    client.endpoint.close();
    server.endpoint.close();
  });

  it.each([1, 2, 3])('completes over a path that loses a fifth of the packets (pattern %i)', async (seed) => {
    const random = pseudoRandom(seed);
    const { client, server } = connect({ intercept: (datagram) => (random() < 0.2 ? null : datagram) });
    await until(() => client.keys !== null && server.keys !== null);
    expect(server.keys?.local).toEqual(client.keys?.remote);
    client.endpoint.close();
    server.endpoint.close();
  });

  it('completes with a server that asks for no certificate', async () => {
    const [clientCertificate, serverCertificate] = certificates;
    const toServer: { current: ((datagram: Buffer) => void) | null } = { current: null };
    let keys: DtlsKeys | null = null;
    const client = new DtlsEndpoint({
      role: 'client',
      certificate: clientCertificate,
      fingerprints: [serverCertificate.fingerprint],
      send: (datagram) => void setImmediate(() => toServer.current?.(datagram)),
      onConnected: (exported) => {
        keys = exported;
      },
      onFailed: () => {},
      onClosed: () => {},
    });
    const socket = {
      type: 'udp',
      address: { address: '0.0.0.0', port: 0, family: 'IPv4' },
      closed: false,
      onData: () => {},
      send: async (datagram: Buffer) => void setImmediate(() => client.receive(Buffer.from(datagram))),
      close: async () => {},
    };
    const server = new DtlsServer({
      transport: socket,
      cert: serverCertificate.material.certPem,
      key: serverCertificate.material.keyPem,
      signatureHash: serverCertificate.material.signatureHash,
      srtpProfiles: [ProtectionProfileAeadAes128Gcm],
      extendedMasterSecret: true,
      certificateRequest: false,
    });
    toServer.current = (datagram) => {
      for (const record of splitRecords(datagram)) server.transport.socket.onData(record, ['0.0.0.0', 0]);
    };
    client.start();
    await until(() => keys !== null);
    client.close();
    server.close();
  });

  it('completes over a path that repeats and coalesces everything', async () => {
    const { client, server } = connect({
      intercept: (datagram) => Buffer.concat([datagram, datagram]),
    });
    await until(() => client.keys !== null && server.keys !== null);
    expect(server.keys?.local).toEqual(client.keys?.remote);
    client.endpoint.close();
    server.endpoint.close();
  });
});
