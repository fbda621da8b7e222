import { describe, expect, test } from 'vitest';
import { isLoopback, isLoopbackHost, mayCall, plainAddress } from './access-rule.ts';
import { KeyStore, type KeyVault } from './key-store.ts';

function memoryVault(): KeyVault & { kept: unknown } {
  const vault = {
    kept: null as unknown,
    read: async () => vault.kept,
    write: async (file: unknown) => {
      vault.kept = structuredClone(file);
    },
  };
  return vault;
}

describe('KeyStore', () => {
  test('keeps digests, never tokens, and knows them after a restart', async () => {
    const vault = memoryVault();
    const first = new KeyStore(vault);
    const { token, key } = await first.create('camera', 'stage-left');
    expect(JSON.stringify(vault.kept)).not.toContain(token);
    const second = new KeyStore(vault);
    await second.load();
    expect(second.find(token)).toEqual(key);
    expect(second.find(`${token}x`)).toBeNull();
    expect(await second.revoke(key.id)).toBe(true);
    expect(await second.revoke(key.id)).toBe(false);
    expect(second.find(token)).toBeNull();
  });

  test('a key that cannot be kept opens nothing', async () => {
    const store = new KeyStore({
      read: async () => null,
      write: async () => {
        throw new Error('disk full');
      },
    });
    await expect(store.create('owner', 'x')).rejects.toThrow('disk full');
    expect(store.list()).toEqual([]);
  });

  test('a damaged file is refused, not taken for an empty one: nobody shall become owner by it', async () => {
    const store = new KeyStore({
      read: async () => ({ version: 1, keys: [{ id: 'a' }] }),
      write: async () => {},
    });
    await expect(store.load()).rejects.toThrow();
  });
});

test('whoever listens hears of each key that is revoked, once', async () => {
  const store = new KeyStore({ read: async () => null, write: async () => {} });
  const { key } = await store.create('camera', 'shed');
  const revoked: string[] = [];
  const stop = store.onRevoked((id) => revoked.push(id));
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

test('loopback is told apart from what only looks like it', () => {
  for (const host of ['localhost', 'localhost:8080', 'app.localhost', '127.0.0.1:1', '[::1]:8080']) {
    expect(isLoopbackHost(host), host).toBe(true);
  }
  for (const host of ['127.0.0.1.example.org', 'localhost.example.org', '10.0.0.1', '', 'example.org']) {
    expect(isLoopbackHost(host), host).toBe(false);
  }
  expect(isLoopback('::ffff:127.0.0.1')).toBe(true);
  expect(isLoopback('192.0.2.1')).toBe(false);
});

test('an IPv4 caller of a socket for both families has an IPv4 address', () => {
  expect(plainAddress('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(plainAddress('2001:db8::ffff:7')).toBe('2001:db8::ffff:7');
  expect(plainAddress('::ffff:c000:207')).toBe('::ffff:c000:207');
});
