import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backoff, backoffMs } from './backoff.ts';

test('pauses double up to the bound, and at least half of each is guaranteed', () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 600_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempt, firstMs, maxMs, random) => {
        const bound = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
        const ms = backoffMs(attempt, { firstMs, maxMs }, random);
        expect(ms).toBeGreaterThanOrEqual(Math.floor(bound / 2));
        expect(ms).toBeLessThanOrEqual(Math.ceil(bound));
      },
    ),
  );
});

test('attempts count until a reset', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000 }, () => 0.5);
  expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).toEqual([75, 150, 300, 600, 750]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(75);
});
