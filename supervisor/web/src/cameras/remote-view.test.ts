import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ConfigView, slugSchema } from '../../../contract/index.ts';
import { sourceFixture, statusFixture } from '../../testing/fixture.ts';
import {
  addressParts,
  adoptPolicyOf,
  feedIdOf,
  remoteKindsOf,
  remoteSources,
  remoteUrl,
  withoutRemote,
  withRemote,
} from './remote-view.ts';

const configOf = (values: Record<string, unknown>): ConfigView => {
  return { file: 'f', values, overrides: {}, errors: [] };
};

test('any name makes a free id that the appliance accepts', () => {
  expect(feedIdOf('Café, balcony!', new Set())).toBe('cafe-balcony');
  expect(feedIdOf('カメラ', new Set(['feed']))).toBe('feed-2');
  // The settings take no longer id.
  expect(feedIdOf('Stage left, behind the second curtain', new Set())).toBe('stage-left-behind-the-second');
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (label, names) => {
      const taken = new Set(names.map((name) => feedIdOf(name, new Set())));
      const id = feedIdOf(label, taken);
      expect(slugSchema.safeParse(id).success).toBe(true);
      expect(id.length).toBeLessThanOrEqual(32);
      expect(taken.has(id)).toBe(false);
    }),
  );
});

test('adding and removing keeps the other entries unchanged', () => {
  const known = { id: 'old', kind: 'mjpeg', url: 'http://a/', username: 'me', password_file: 'secret' };
  const config = configOf({ remote: [known], source: [] });
  const status = statusFixture({ sources: [sourceFixture({ id: 'balcony' })] });
  const whep = { kind: 'whep', label: 'Balcony', url: 'https://b/whep/x' } as const;
  expect(withRemote(config, status, whep)).toEqual({ remote: [known, { id: 'balcony-2', ...whep }] });
  const rtsp = { kind: 'rtsp', label: 'Door', url: 'rtsp://c/' } as const;
  expect(withRemote(config, status, rtsp)).toEqual({ source: [{ id: 'door', ...rtsp }] });
  expect(withoutRemote(config, sourceFixture({ id: 'old', kind: 'mjpeg' }))).toEqual({ remote: [] });
  expect(withoutRemote(config, sourceFixture({ id: 'other', kind: 'whep' }))).toEqual({ remote: [known] });
});

test('a user name and a password are set, also those that the address has', () => {
  const camera = { kind: 'rtsp', label: 'Door', url: 'rtsp://c/', username: 'me', password: 'p' } as const;
  expect(withRemote(configOf({ source: [] }), statusFixture(), camera)).toEqual({
    source: [{ id: 'door', ...camera }],
  });
  const none = { username: '', password: '' };
  expect(addressParts('rtsp://c:554/s?x=1')).toEqual({ url: 'rtsp://c:554/s?x=1', ...none });
  expect(addressParts('rtsp://admin:a%40b%@c/s')).toEqual({
    url: 'rtsp://c/s',
    username: 'admin',
    password: 'a%40b%',
  });
  expect(addressParts('http://me:a%40b@c/v.mjpg')).toEqual({
    url: 'http://c/v.mjpg',
    username: 'me',
    password: 'a@b',
  });
  expect(addressParts('192.168.1.4')).toEqual({ url: '192.168.1.4', ...none });
});

test('shows addresses and policy as far as they are configured', () => {
  const source = sourceFixture({ id: 'door', kind: 'rtsp' });
  const config = configOf({ source: [{ id: 'door', url: 'rtsp://c/' }], devices: { adopt: 'auto' } });
  expect([remoteUrl(config, source), remoteUrl(null, source)]).toEqual(['rtsp://c/', null]);
  expect([adoptPolicyOf(config), adoptPolicyOf(null), adoptPolicyOf(configOf({}))]).toEqual([
    'auto',
    null,
    null,
  ]);
  expect(remoteSources(statusFixture({ sources: [source, sourceFixture()] }))).toEqual([source]);
});

test('only a hub offers feeds of other hubs; a camera shows none', () => {
  const { device } = statusFixture();
  const kinds = (role: 'hub' | 'camera') =>
    remoteKindsOf(statusFixture({ device: { ...device, role } })).map(({ kind }) => kind);
  expect(kinds('hub')).toEqual(['rtsp', 'mjpeg', 'whep']);
  expect(kinds('camera')).toEqual(['rtsp']);
});
