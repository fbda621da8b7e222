import { describe, expect, it } from 'vitest';
import { ReceptionStats } from './reception-stats.ts';

describe('ReceptionStats', () => {
  it('reports loss since the last report and in total, across the wrap', () => {
    const stats = new ReceptionStats(7, 90_000);
    for (let i = 0; i < 100; i++)
      if (i % 4 !== 0 || i === 0) stats.arrived((65500 + i) & 0xffff, i * 3000, i * 33);
    const first = stats.report(5000);
    expect(first.lossRatio).toBeCloseTo(0.24, 2);
    expect(first.lostTotal).toBe(24);
    expect(first.highestSequence).toBe(0x10000 + ((65500 + 99) & 0xffff));
    for (let i = 100; i < 110; i++) stats.arrived((65500 + i) & 0xffff, i * 3000, i * 33);
    expect(stats.report(6000).lossRatio).toBe(0);
    expect(stats.lostTotal).toBe(24);
  });

  it('says how long ago the last sender report arrived', () => {
    const stats = new ReceptionStats(7, 90_000);
    stats.arrived(1, 0, 0);
    expect(stats.report(0)).toMatchObject({ lastReport: 0, delaySinceLastReport: 0 });
    stats.noteSenderReport(0xabcdef01, 1000);
    expect(stats.report(1500)).toMatchObject({ lastReport: 0xabcdef01, delaySinceLastReport: 32768 });
  });
});
