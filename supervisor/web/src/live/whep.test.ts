import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errorOfRefusal, retryAfterMs } from './whep.ts';

const nowMs = Date.UTC(2026, 10, 22, 11, 30);

test('Retry-After in seconds or as a date, bounded', () => {
  expect(retryAfterMs('2', nowMs)).toBe(2000);
  expect(retryAfterMs('Sun, 22 Nov 2026 11:30:05 GMT', nowMs)).toBe(5000);
  expect(retryAfterMs('Sun, 22 Nov 2026 11:00:00 GMT', nowMs)).toBe(0);
  expect(retryAfterMs('86400', nowMs)).toBe(60_000);
  expect(retryAfterMs('soon', nowMs)).toBeNull();
  expect(retryAfterMs(null, nowMs)).toBeNull();
  fc.assert(
    fc.property(fc.string(), (header) => {
      const ms = retryAfterMs(header, nowMs);
      expect(ms === null || (ms >= 0 && ms <= 60_000)).toBe(true);
    }),
  );
});

test.each([
  [401, 'UNAUTHORIZED'],
  [403, 'UNAUTHORIZED'],
  [404, 'FEED_UNKNOWN'],
  [409, 'NO_PUBLISHER'],
  [503, 'UNREACHABLE'],
  [422, 'REFUSED'],
  [429, 'UNREACHABLE'],
])('%i is %s', (status, code) => {
  expect(errorOfRefusal(status, '3', '', nowMs)).toMatchObject({ code, retryAfterMs: 3000 });
});

test('quotes the server for a rejection without a case of its own', () => {
  const body = JSON.stringify({ title: 'Too many tracks', status: 422, code: 'TRACKS_UNSUPPORTED' });
  expect(errorOfRefusal(422, null, body, nowMs).message).toBe('Too many tracks.');
});

test('an appliance that finds no H.264 in the offer reports it by its code', () => {
  const body = JSON.stringify({ title: 'H.264 is needed', status: 422, code: 'CODEC_UNSUPPORTED' });
  expect(errorOfRefusal(422, null, body, nowMs)).toMatchObject({
    code: 'NO_H264',
    message: 'This browser cannot play H.264 video.',
  });
});
