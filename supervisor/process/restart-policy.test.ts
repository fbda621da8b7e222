import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRestart, defaultRestartPolicy as policy } from './restart-policy.ts';

describe('decideRestart', () => {
  it('doubles its bound with each failure, up to the maximum', () => {
    const bounds = [0, 1, 2, 3, 10, 1000].map((before) => decideRestart(policy, before, 0, 1).delayMs);
    expect(bounds).toEqual([500, 1000, 2000, 4000, 30_000, 30_000]);
  });

  it('forgets failures after a stable run', () => {
    expect(decideRestart(policy, 7, policy.stableAfterMs, 1)).toEqual({ failures: 1, delayMs: 500 });
    expect(decideRestart(policy, 7, policy.stableAfterMs - 1, 1)).toEqual({ failures: 8, delayMs: 30_000 });
  });

  it('stays within its bounds for any random number', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (before, ranForMs, random) => {
          const { delayMs } = decideRestart(policy, before, ranForMs, random);
          expect(delayMs).toBeGreaterThanOrEqual(policy.minMs);
          expect(delayMs).toBeLessThanOrEqual(policy.maxMs);
        },
      ),
    );
  });

  it('spreads the pauses over the whole range', () => {
    expect(decideRestart(policy, 3, 0, 0.25).delayMs).toBe(1000);
    expect(decideRestart(policy, 3, 0, 0).delayMs).toBe(policy.minMs);
  });
});
