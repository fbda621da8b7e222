import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { debianVersion, productVersion, tagFits } from './version.ts';

test('package.json and package-lock.json have the same version', () => {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8'));
  expect([lock.version, lock.packages[''].version]).toEqual([productVersion(), productVersion()]);
});

test('Debian sorts a candidate before its release', () => {
  expect(debianVersion('1.0.0-rc.1')).toBe('1.0.0~rc.1');
  expect(debianVersion('1.0.0')).toBe('1.0.0');
});

test('a tag matches its version alone', () => {
  expect(tagFits('v0.2.0', '0.2.0')).toBe(true);
  expect(tagFits('v0.2.0-rc.1', '0.2.0')).toBe(false);
  expect(tagFits('0.2.0', '0.2.0')).toBe(false);
});
