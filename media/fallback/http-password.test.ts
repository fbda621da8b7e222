import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorizationFor, challengesIn } from './http-password.ts';

const mufasa = { username: 'Mufasa', password: 'Circle of Life' };
const get = { method: 'GET', uri: '/dir/index.html' };

/** The example of RFC 7616, section 3.9.1. */
const example = (algorithm: string) =>
  `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

describe('A camera that asks for Digest', () => {
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('by %s is answered according to the standard', (algorithm, response) => {
    const answer = authorizationFor(example(algorithm), mufasa, get, cnonce);
    expect(answer).toContain(`response="${response}"`);
    expect(answer).toContain('nc=00000001');
    expect(answer).not.toContain('Circle');
  });

  it('without qop and algorithm, as old cameras do, is answered according to RFC 2069', () => {
    const challenge =
      'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';
    const answer = authorizationFor(challenge, { username: 'Mufasa', password: 'CircleOfLife' }, get, cnonce);
    expect(answer).toContain('response="1949323746fe6a43ef61f9606e7febea"');
    expect(answer).not.toContain('cnonce');
  });

  it('and for Basic never gets the password in the clear', () => {
    for (const both of [`Basic realm="x", ${example('MD5')}`, `${example('MD5')}, Basic realm="x"`])
      expect(authorizationFor(both, mufasa, get)).toMatch(/^Digest /);
  });
});

it.each([null, 'Basic realm="camera"', 'Basic', 'basic realm=x', 'Digest realm="x", Basic realm="y"'])(
  'a camera that asks for %s gets Basic',
  (challenge) => {
    expect(authorizationFor(challenge, mufasa, get)).toBe(
      `Basic ${Buffer.from('Mufasa:Circle of Life').toString('base64')}`,
    );
  },
);

it.each([
  'Bearer',
  'NTLM',
  'Digest realm="x", nonce="y", algorithm=ROT13',
  'Digest realm="x", nonce="y", qop="auth-int"',
])('a camera that asks for %s cannot be answered', (challenge) =>
  expect(authorizationFor(challenge, mufasa, get)).toBeNull(),
);

it('reads several challenges and never throws', () => {
  expect(
    challengesIn('Basic realm="a, b", Digest nonce=x , qop = "auth"').map(({ scheme }) => scheme),
  ).toEqual(['basic', 'digest']);
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (header, username, password) => {
      const answer = authorizationFor(`Digest ${header}`, { username, password }, get);
      expect(answer === null || /^(Digest|Basic) [^\r\n]*$/.test(answer)).toBe(true);
    }),
  );
});
