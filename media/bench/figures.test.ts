import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrived, coreShare, lossShare, percentile, perPacketUs } from './figures.ts';

describe('Percentiles', () => {
  it('are samples, by nearest rank', () => {
    const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(percentile(samples, 0.5)).toBe(50);
    expect(percentile(samples, 0.95)).toBe(95);
    expect(percentile(samples, 0.99)).toBe(99);
    expect(percentile(samples, 1)).toBe(100);
    expect(percentile([9, 10], 0.5)).toBe(9);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('have their share of the samples at or below them, and no smaller sample does', () => {
    const shares = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1 }), shares, (samples, share) => {
        const found = percentile(samples, share);
        const atOrBelow = samples.filter((sample) => sample <= found).length;
        const below = samples.filter((sample) => sample < found).length;
        expect(atOrBelow).toBeGreaterThanOrEqual(samples.length * share);
        expect(below).toBeLessThan(Math.max(1, samples.length * share));
      }),
    );
  });
});

describe('Costs and losses', () => {
  it('are counted for each packet and viewer', () => {
    const spent = { cpuUs: 1_000_000, publishedPackets: 5000, viewers: 50 };
    expect(perPacketUs({ ...spent, lostShare: 0 })).toBe(4);
    expect(perPacketUs({ ...spent, lostShare: 0.2 })).toBe(5);
    expect(perPacketUs({ ...spent, lostShare: 1 })).toBeNaN();
    expect(coreShare(5_000_000, 10)).toBe(0.5);
    expect(lossShare(200, 172)).toBeCloseTo(0.14);
    expect(lossShare(0, 0)).toBeNaN();
  });

  it('leave out joins that never completed', () => {
    expect(arrived([3, -1, 0, 5])).toEqual([3, 0, 5]);
  });
});
