import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, pause } from './backoff.ts';

const limits = { firstMs: 500, mostMs: 10_000 };

test('waits grow, and stay between half of the bound and the bound', () => {
  expect(backoffMs(0, limits, () => 1)).toBe(500);
  expect(backoffMs(0, limits, () => 0)).toBe(250);
  expect(backoffMs(3, limits, () => 1)).toBe(4000);
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
      const waitMs = backoffMs(attempt, limits, () => chance);
      expect(waitMs).toBeGreaterThanOrEqual(limits.firstMs / 2);
      expect(waitMs).toBeLessThanOrEqual(limits.mostMs);
    }),
  );
});

test('a pause ends when its signal aborts', async () => {
  const controller = new AbortController();
  const paused = pause(3_600_000, controller.signal);
  controller.abort();
  await paused;
  await pause(3_600_000, controller.signal);
});
