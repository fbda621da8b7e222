import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { fetchChannel } from './channel-client.ts';
import { openEnvelope, publicKeysOf, sealEnvelope } from './envelope.ts';
import { type Channel, readChannel } from './manifest.ts';
import { publish } from './publish.ts';

const ours = keyPair();
const theirs = keyPair();
const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});

function keyPair() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

const channel: Channel = {
  schema: 1,
  channel: 'stable',
  sequence: 7,
  releases: [
    {
      version: '1.2.0',
      compatible: 'rushlight-virt-amd64',
      minimumVersion: null,
      url: 'bundles/1.2.0.raucb',
      sha256: 'a'.repeat(64),
      sizeBytes: 1000,
      notes: 'Better.',
      rolloutPercent: 100,
    },
  ],
};
const sealed = sealEnvelope(Buffer.from(JSON.stringify(channel)), ours.privatePem);
const keys = publicKeysOf(ours.publicPem);
const read = (text: string, over: { keys?: KeyObject[]; name?: string; lastSequence?: number | null } = {}) =>
  readChannel(text, {
    name: 'stable',
    keys,
    baseUrl: 'https://updates.example/x/',
    lastSequence: null,
    ...over,
  });
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a channel file', () => {
  it('is read with absolute addresses', () => {
    expect(read(sealed).releases[0]?.url).toBe('https://updates.example/x/bundles/1.2.0.raucb');
  });

  it('is rejected if another key signed it, and accepted if one of several keys matches', () => {
    expect(() => read(sealed, { keys: publicKeysOf(theirs.publicPem) })).toThrow(code('CHANNEL_SIGNATURE'));
    expect(read(sealed, { keys: publicKeysOf(theirs.publicPem + ours.publicPem) }).sequence).toBe(7);
  });

  it('is rejected if it belongs to another channel or is older than one seen before', () => {
    expect(() => read(sealed, { name: 'beta' })).toThrow(code('CHANNEL_INVALID'));
    expect(() => read(sealed, { lastSequence: 8 })).toThrow(code('CHANNEL_REPLAYED'));
    expect(read(sealed, { lastSequence: 7 }).sequence).toBe(7);
  });

  it('rejects a change of any single character with a declared error', () => {
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom('x', '0', '"', '{', ' '), (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        try {
          expect(read(changed)).toEqual(read(sealed)); // Blanks between tokens and unread fields may differ.
        } catch (error) {
          expect(['CHANNEL_INVALID', 'CHANNEL_SIGNATURE']).toContain((error as { code: string }).code);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('rejects addresses that are not http or https', () => {
    const bad = { ...channel, releases: [{ ...channel.releases[0], url: 'file:///etc/passwd' }] };
    const text = sealEnvelope(Buffer.from(JSON.stringify(bad)), ours.privatePem);
    expect(() => read(text)).toThrow(code('CHANNEL_INVALID'));
  });
});

describe('fetching a channel', () => {
  async function server(answer: (path: string) => { status: number; body: string }): Promise<string> {
    const http = createServer((request, response) => {
      const { status, body } = answer(request.url ?? '');
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => http.close(resolve)));
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}/updates`;
  }
  const get = (baseUrl: string, timeoutMs?: number) =>
    fetchChannel(
      fetch,
      { baseUrl, name: 'stable', keys, lastSequence: null },
      new AbortController().signal,
      timeoutMs,
    );

  it('asks for <base>/<name>.json', async () => {
    const base = await server((path) =>
      path === '/updates/stable.json' ? { status: 200, body: sealed } : { status: 404, body: '' },
    );
    expect((await get(base)).releases[0]?.url).toBe(`${base}/bundles/1.2.0.raucb`);
  });

  it('reports that it could not be reached: 404, too long, no server', async () => {
    const missing = await server(() => ({ status: 404, body: '' }));
    await expect(get(missing)).rejects.toThrow(code('CHANNEL_UNREACHABLE'));
    const long = await server(() => ({ status: 200, body: 'x'.repeat(2_000_000) }));
    await expect(get(long)).rejects.toThrow(code('CHANNEL_UNREACHABLE'));
    await expect(get('http://127.0.0.1:1/')).rejects.toThrow(code('CHANNEL_UNREACHABLE'));
  });
});

it('publishing adds a release, replaces one of the same version and increments the edition', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'channel-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'channel.key'), ours.privatePem);
  await writeFile(join(folder, 'channel.pub'), ours.publicPem);
  const bundle = join(folder, 'one.raucb');
  await writeFile(bundle, 'a bundle');
  const options = {
    folder,
    keys: folder,
    bundle,
    channel: 'stable',
    compatible: 'rushlight-virt-amd64',
    minimumVersion: null,
    notes: '',
    url: null,
  };
  await publish({ ...options, version: '1.0.0', rolloutPercent: 100 });
  await publish({ ...options, version: '1.1.0', rolloutPercent: 10 });
  const last = await publish({ ...options, version: '1.1.0', rolloutPercent: 50 });
  expect(last.sequence).toBe(3);
  expect(last.releases.map(({ version, rolloutPercent }) => [version, rolloutPercent])).toEqual([
    ['1.1.0', 50],
    ['1.0.0', 100],
  ]);
  expect(last.releases[0]).toMatchObject({ sizeBytes: 8, url: 'one.raucb' });
  expect(() => openEnvelope(sealed, keys)).not.toThrow();
});
