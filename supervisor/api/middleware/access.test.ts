import type { IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import type { AccessRole } from '../../contract/index.ts';
import { freshKeys } from '../../system/key-store.fake.ts';
import { SignInLimiter } from '../access/sign-in-limiter.ts';
import { type AccessOptions, checkAccess } from './access.ts';

const keys = freshKeys();
const tokens = { owner: '', viewer: '', camera: '' };

beforeAll(async () => {
  for (const role of ['owner', 'viewer', 'camera'] as const)
    tokens[role] = (await keys.create(role, role)).token;
});

interface Asked {
  readonly url?: string;
  readonly method?: string;
  readonly address?: string;
  readonly encrypted?: boolean;
  readonly headers?: Record<string, string>;
}

function asked({
  url = '/api/status',
  method = 'GET',
  address = '192.0.2.7',
  encrypted = false,
  headers = {},
}: Asked) {
  const socket = { remoteAddress: address, ...(encrypted && { encrypted: true }) };
  return { url, method, headers: { host: 'hub.local', ...headers }, socket } as unknown as IncomingMessage;
}

const options: AccessOptions = { keys, required: true, tlsPort: 443 };
const viewers: readonly AccessRole[] = ['viewer', 'camera'];
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (user: string, token: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`,
});

describe('a key without HTTPS while HTTPS is available', () => {
  test.each([
    ['a good one', () => bearer(tokens.owner)],
    ['one that nobody has', () => bearer('rl_nobody')],
    ['one in a cookie', () => ({ cookie: `rushlight_session=${tokens.owner}` })],
    ['one as a password', () => basic('x', tokens.viewer)],
    ['that of a camera', () => bearer(tokens.camera)],
  ])('is rejected for %s, with the right address in the message', (_, headers) => {
    const request = asked({ url: '/stream/cam0.mjpg', headers: headers() });
    expect(() => checkAccess(request, viewers, options)).toThrow(
      expect.objectContaining({
        code: 'TLS_REQUIRED',
        hint: expect.stringContaining('https://hub.local/stream/cam0.mjpg'),
      }),
    );
  });

  test('is rejected on public routes, too: it could be read on the way all the same', () => {
    expect(() => checkAccess(asked({ headers: bearer(tokens.owner) }), ['public'], options)).toThrow('HTTPS');
    expect(checkAccess(asked({}), ['public'], options).role).toBe('public');
  });

  test.each([
    ['by HTTPS', { encrypted: true }, options],
    ['from this machine', { address: '127.0.0.1' }, options],
    ['from this machine, by a socket for both families', { address: '::ffff:127.0.0.1' }, options],
    ['where HTTPS is off', {}, { ...options, tlsPort: null }],
  ])('is accepted %s', (_, how, which) => {
    expect(checkAccess(asked({ ...how, headers: bearer(tokens.owner) }), viewers, which).role).toBe('owner');
  });

  test('names another HTTPS port', () => {
    const request = asked({ headers: { ...bearer(tokens.owner), host: 'hub.local:8080' } });
    expect(() => checkAccess(request, viewers, { ...options, tlsPort: 8443 })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('https://hub.local:8443/api/status') }),
    );
  });
});

describe('a key as a password', () => {
  const secure = { encrypted: true };

  test.each([
    '/stream/cam0.mjpg',
    '/stream/cam0.jpg',
    '/whep/cam0',
    '/whip/cam0/session-1',
    '/ws/feeds/cam0',
  ])('opens %s with any user name', (url) => {
    for (const user of ['', 'viewer', 'a b', 'ä']) {
      const caller = checkAccess(
        asked({ ...secure, url, headers: basic(user, tokens.viewer) }),
        viewers,
        options,
      );
      expect(caller.role).toBe('viewer');
    }
  });

  test.each(['/api/keys', '/api/status', '/', '/streams', '/api/stream/x'])(
    'opens nothing else: %s',
    (url) => {
      expect(() =>
        checkAccess(asked({ ...secure, url, headers: basic('x', tokens.owner) }), viewers, options),
      ).toThrow(expect.objectContaining({ code: 'TOKEN_MISSING' }));
    },
  );

  test('is not accepted from another page, for which a browser would send it', () => {
    const headers = { ...basic('x', tokens.owner), 'sec-fetch-site': 'cross-site' };
    const request = asked({ ...secure, url: '/whep/cam0', method: 'POST', headers });
    expect(() => checkAccess(request, viewers, options)).toThrow(
      expect.objectContaining({ code: 'ORIGIN_REFUSED' }),
    );
  });

  test.each(['Basic', 'Basic !', 'Basic eA==', `Basic ${'A'.repeat(10_000)}`])(
    '%.20s is not a key',
    (authorization) => {
      const request = asked({ ...secure, url: '/stream/cam0.jpg', headers: { authorization } });
      expect(() => checkAccess(request, viewers, options)).toThrow(/token/);
    },
  );
});

test('an address that tries too often has to wait; a right key still works, and so do other addresses', () => {
  let nowMs = 0;
  const signIns = new SignInLimiter({ tries: 3, windowMs: 60_000 }, () => nowMs);
  const attempt = (token: string, address = '192.0.2.7') => {
    const request = asked({ encrypted: true, address, url: '/stream/cam0.jpg', headers: basic('x', token) });
    try {
      return checkAccess(request, viewers, { ...options, signIns }).role;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  for (let count = 0; count < 3; count += 1) expect(attempt('wrong')).toBe('TOKEN_UNKNOWN');
  expect(attempt('wrong')).toBe('SIGN_INS_TOO_MANY');
  expect(attempt(tokens.viewer)).toBe('viewer');
  expect(attempt('wrong', '192.0.2.8')).toBe('TOKEN_UNKNOWN');
  nowMs = 61_000;
  expect(attempt('wrong')).toBe('TOKEN_UNKNOWN');
});
