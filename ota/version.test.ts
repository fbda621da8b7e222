import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, isVersion } from './version.ts';

/** The order given in semver.org, section 11, and a little more. */
const ascending = [
  '0.9.9',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-beta.12345678901',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1',
  '1.10.0',
  '2.0.0',
];

describe('versions', () => {
  it('sort as semver.org says', () => {
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries())
        expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).toBe(Math.sign(i - j));
    }
  });

  it('do not differ by build metadata', () => {
    expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0);
  });

  it('reject anything else with their own error', () => {
    for (const text of [
      '',
      '1',
      '1.2',
      'v1.2.3',
      '=1.2.3',
      '01.2.3',
      '1.2.3-01',
      '1.2.3-',
      '1.2.3 ',
      '1.2.3-a b',
    ]) {
      expect(() => compareVersions(text, '1.0.0'), text).toThrow(
        expect.objectContaining({ code: 'VERSION_INVALID' }),
      );
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          compareVersions('1.0.0', text);
          expect(isVersion(text)).toBe(true);
        } catch (error) {
          expect(isVersion(text)).toBe(false);
          expect(error).toMatchObject({ code: 'VERSION_INVALID' });
        }
      }),
    );
  });
});
