import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoMicroseconds, secondsOfIso, timecodeOf } from './timecode.ts';

describe('timecodeOf', () => {
  it('is the wall clock in UTC, and the frame within its second', () => {
    const noon = Date.UTC(2026, 10, 22, 12, 34, 56) / 1e3;
    expect(timecodeOf(noon, 30)).toBe('12:34:56:00');
    expect(timecodeOf(noon + 0.1, 30)).toBe('12:34:56:03');
    expect(timecodeOf(noon + 29 / 30, 30)).toBe('12:34:56:29');
    expect(timecodeOf(noon + 0.9999, 25)).toBe('12:34:56:24');
    expect(timecodeOf(0, 30)).toBe('00:00:00:00');
  });

  it('always has eleven characters and a frame below the rate', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 4e9, noNaN: true }),
        fc.integer({ min: 1, max: 99 }),
        (time, fps) => {
          const timecode = timecodeOf(time, fps);
          expect(timecode).toMatch(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d:\d\d$/);
          expect(Number(timecode.slice(-2))).toBeLessThan(fps);
        },
      ),
    );
  });
});

describe('isoMicroseconds', () => {
  it('keeps microseconds, and is read back', () => {
    expect(isoMicroseconds(1_795_347_891.9)).toBe('2026-11-22T11:44:51.900000Z');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e15 }), (microseconds) => {
        const iso = isoMicroseconds(microseconds / 1e6);
        expect(Math.round(secondsOfIso(iso) * 1e6)).toBe(microseconds);
      }),
    );
  });
});
