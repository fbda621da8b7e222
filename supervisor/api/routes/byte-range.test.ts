import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../api-error.ts';
import { parseByteRange } from './byte-range.ts';

describe('parseByteRange', () => {
  test.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=10-', { start: 10, end: 99 }],
    ['bytes=10-500', { start: 10, end: 99 }],
    ['bytes=-5', { start: 95, end: 99 }],
    ['bytes=-500', { start: 0, end: 99 }],
    ['', null],
    ['bytes=-', null],
    ['bytes=0-1,4-5', null],
    ['lines=1-2', null],
  ])('%s', (header, expected) => {
    expect(parseByteRange(header, 100)).toEqual(expected);
  });

  test.each(['bytes=100-', 'bytes=7-3', 'bytes=-0'])('%s cannot be satisfied', (header) => {
    expect(() => parseByteRange(header, 100)).toThrow(
      expect.objectContaining({ code: 'RANGE_UNSATISFIABLE' }),
    );
  });

  test('whatever is sent: a range inside the file, none, or the declared error', () => {
    const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,12}-\d{0,12}$/));
    fc.assert(
      fc.property(header, fc.nat({ max: 1_000_000 }), (text, size) => {
        try {
          const range = parseByteRange(text, size);
          if (range === null) return;
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.end).toBeLessThan(size);
          expect(range.start).toBeLessThanOrEqual(range.end);
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
        }
      }),
    );
  });
});
