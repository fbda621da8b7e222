import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLoopback, isLoopbackHost, mayCall, plainAddress } from '../api/access/access-rule.ts';
import { KeyStore, type KeyVault } from './key-store.ts';

function memoryVault(): KeyVault & { kept: string | null } {
  const vault = {
    kept: null as string | null,
    read: async () => vault.kept,
    write: async (file: unknown) => {
      await setImmediate();
      vault.kept = JSON.stringify(file);
    },
  };
  return vault;
}

describe('KeyStore', () => {
  test('stores digests, never tokens, and knows them after a restart', async () => {
    const vault = memoryVault();
    const first = new KeyStore(vault);
    const { token, key } = await first.create('camera', 'stage-left');
    expect(vault.kept).not.toContain(token);
    const second = new KeyStore(vault);
    await second.load();
    expect(second.find(token)).toEqual(key);
    expect(second.find(`${token}x`)).toBeNull();
    expect(await second.revoke(key.id)).toBe(true);
    expect(await second.revoke(key.id)).toBe(false);
    expect(second.find(token)).toBeNull();
  });

  test('a key that cannot be stored opens nothing', async () => {
    const store = new KeyStore({
      read: async () => null,
      write: async () => {
        throw new Error('disk full');
      },
    });
    await expect(store.create('owner', 'x')).rejects.toThrow('disk full');
    expect(store.list()).toEqual([]);
  });

  test('stores twenty keys made at once, in memory and on disk', async () => {
    const vault = memoryVault();
    const store = new KeyStore(vault);
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => store.create('viewer', `tablet ${index}`)),
    );
    const restarted = new KeyStore(vault);
    await restarted.load();
    for (const { token, key } of made) {
      expect(store.find(token)).toEqual(key);
      expect(restarted.find(token)).toEqual(key);
    }
  });

  test('thirty keys revoked at once open nothing, now and after a restart', async () => {
    const vault = memoryVault();
    const store = new KeyStore(vault);
    const made = [];
    for (let index = 0; index < 30; index += 1) made.push(await store.create('owner', `owner ${index}`));
    await Promise.all([
      ...made.map(({ key }) => store.revoke(key.id)),
      ...made.map(({ key }) => store.create('viewer', `beside ${key.id}`)),
    ]);
    const restarted = new KeyStore(vault);
    await restarted.load();
    for (const { token, key } of made) {
      expect(store.find(token)).toBeNull();
      expect(store.isGood(key.id)).toBe(false);
      expect(restarted.find(token)).toBeNull();
    }
    expect(restarted.list()).toHaveLength(30);
  });

  test('in any order of making and revoking, memory and disk agree and nothing returns', async () => {
    const step = fc.record({
      revoke: fc.nat(7),
      make: fc.boolean(),
      fails: fc.boolean(),
      waits: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        let fails = false;
        const vault = memoryVault();
        const store = new KeyStore({
          read: vault.read,
          write: async (file) => {
            const refuse = fails;
            await vault.write(refuse ? JSON.parse(vault.kept ?? '{"version":1,"keys":[]}') : file);
            if (refuse) throw new Error('disk full');
          },
        });
        const tokens = new Map<string, string>();
        for (const name of 'abcdefgh') {
          const { key, token } = await store.create('owner', name);
          tokens.set(key.id, token);
        }
        const ids = [...tokens.keys()];
        const gone = new Set<string>();
        const refused = new Set<string>();
        const under: Promise<unknown>[] = [];
        for (const { revoke, make, fails: now, waits } of steps) {
          fails = now;
          const id = ids[revoke] ?? '';
          const work = make
            ? store.create('viewer', 'x').catch(() => null)
            : store.revoke(id).then(
                () => gone.add(id),
                () => refused.add(id),
              );
          if (!make) expect(store.find(tokens.get(id) ?? '')).toBeNull(); // at once, not after the disk
          under.push(work);
          if (waits) await Promise.all(under);
        }
        await Promise.all(under);
        const restarted = new KeyStore(vault);
        await restarted.load();
        for (const [id, token] of tokens) {
          expect(store.find(token) === null).toBe(gone.has(id) || refused.has(id));
          if (gone.has(id)) expect(restarted.find(token)).toBeNull();
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a revocation that the disk refuses is reported, works at once and can be retried', async () => {
    const vault = memoryVault();
    let full = false;
    const write: KeyVault['write'] = async (file) => {
      if (full) throw new Error('disk full');
      await vault.write(file);
    };
    const store = new KeyStore({ read: vault.read, write });
    const { key, token } = await store.create('owner', 'x');
    full = true;
    await expect(store.revoke(key.id)).rejects.toThrow('disk full');
    expect(store.find(token)).toBeNull();
    expect(store.list()).toEqual([key]);
    full = false;
    expect(await store.revoke(key.id)).toBe(true);
    expect(store.list()).toEqual([]);
    expect(vault.kept).not.toContain(key.id);
  });

  test('a key that is being revoked cannot make another', async () => {
    const store = new KeyStore(memoryVault());
    const { key } = await store.create('owner', 'lost phone');
    const revoked = store.revoke(key.id);
    await expect(store.create('owner', 'thief', { issuer: key.id })).rejects.toMatchObject({
      code: 'TOKEN_UNKNOWN',
    });
    await revoked;
    expect(store.list()).toEqual([]);
  });

  test('makes no key if its token cannot be shown', async () => {
    const vault = memoryVault();
    const store = new KeyStore(vault);
    const beforeKept = () => Promise.reject(new Error('no console'));
    await expect(store.create('owner', 'x', { beforeKept })).rejects.toThrow('no console');
    expect([store.list(), vault.kept]).toEqual([[], null]);
  });
});

test('reports each revoked key to every listener once', async () => {
  const store = new KeyStore({ read: async () => null, write: async () => {} });
  const { key } = await store.create('camera', 'shed');
  const revoked: string[] = [];
  const stop = store.onRevoked((id) => void revoked.push(id));
  await store.revoke('unknown');
  await store.revoke(key.id);
  await store.revoke(key.id);
  expect(revoked).toEqual([key.id]);
  stop();
  await store.revoke((await store.create('camera', 'shed')).key.id);
  expect(revoked).toHaveLength(1);
});

test('owner includes operator includes viewer; cameras stand apart', () => {
  expect(mayCall('owner', ['viewer'])).toBe(true);
  expect(mayCall('operator', ['viewer'])).toBe(true);
  expect(mayCall('viewer', ['operator'])).toBe(false);
  expect(mayCall('camera', ['viewer'])).toBe(false);
  expect(mayCall('camera', ['viewer', 'camera'])).toBe(true);
  expect(mayCall('public', ['viewer'])).toBe(false);
  expect(mayCall('camera', ['public'])).toBe(true);
});

test('distinguishes loopback from look-alikes', () => {
  for (const host of ['localhost', 'localhost:8080', 'app.localhost', '127.0.0.1:1', '[::1]:8080']) {
    expect(isLoopbackHost(host), host).toBe(true);
  }
  for (const host of ['127.0.0.1.example.org', 'localhost.example.org', '10.0.0.1', '', 'example.org']) {
    expect(isLoopbackHost(host), host).toBe(false);
  }
  expect(isLoopback('::ffff:127.0.0.1')).toBe(true);
  expect(isLoopback('192.0.2.1')).toBe(false);
});

test('an IPv4 caller of a dual-stack socket has an IPv4 address', () => {
  expect(plainAddress('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(plainAddress('2001:db8::ffff:7')).toBe('2001:db8::ffff:7');
  expect(plainAddress('::ffff:c000:207')).toBe('::ffff:c000:207');
});
