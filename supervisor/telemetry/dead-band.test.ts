import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeOf } from './dead-band.ts';
import { statePayload } from './state-payload.ts';
import { hubStatus } from './status.fixture.ts';

const state = (changes: Parameters<typeof hubStatus>[0] = {}) => statePayload(hubStatus(changes));
const host = hubStatus().host;

test.each([
  ['the same', {}, 'none'],
  ['a degree less than one', { host: { ...host, temperatureC: 48.9 } }, 'none'],
  ['a degree more', { host: { ...host, temperatureC: 49.4 } }, 'drift'],
  ['a sensor that is lost', { host: { ...host, temperatureC: null } }, 'event'],
  ['a boot time that wobbles', { host: { ...host, bootedAt: '2026-11-22T10:00:10.000Z' } }, 'none'],
  ['another boot', { host: { ...host, bootedAt: '2026-11-22T11:00:00.000Z' } }, 'event'],
  ['a disk that is pulled', { host: { ...host, disks: host.disks.slice(0, 1) } }, 'event'],
  ['the tally', { tally: 'program' }, 'event'],
  ['an error in the config', { config: { file: 'x', errors: [error('fps')] } }, 'event'],
] as const)('%s', (_, changes, expected) => {
  expect(changeOf(state(), state(changes as Parameters<typeof hubStatus>[0]))).toBe(expected);
});

function error(key: string) {
  return { line: 1, key, message: 'wrong', expected: null, nearest: null };
}

test('relative bands grow with the figure', () => {
  expect(changeOf({ bitrate_kbps: 6000 }, { bitrate_kbps: 6590 })).toBe('none');
  expect(changeOf({ bitrate_kbps: 6000 }, { bitrate_kbps: 6600 })).toBe('drift');
  expect(changeOf({ bitrate_kbps: 100 }, { bitrate_kbps: 151 })).toBe('drift');
});

test('figures without a band report every change', () => {
  expect(changeOf({ viewers: 1 }, { viewers: 2 })).toBe('drift');
});

test('nothing differs from itself, and a value never equals one of another type', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(changeOf(value, structuredClone(value))).toBe('none');
      expect(changeOf(value, { other: value })).not.toBe('none');
    }),
  );
});
