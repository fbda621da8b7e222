import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SinkPace } from './sink-pace.ts';

/** Packets within so many milliseconds, taken every 4 ms. */
function taken(pace: SinkPace, fromMs: number, forMs: number): number {
  let packets = 0;
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += 4) {
    const portion = pace.portion(nowMs);
    pace.sent(portion);
    packets += portion;
  }
  return packets;
}

describe('The pace of a sink', () => {
  it('rises step by step while nothing is lost, and begins at the usual one again the next time', () => {
    const pace = new SinkPace();
    pace.begin(10_000);
    expect(taken(pace, 10_000, 20) / 20).toBeLessThan(12);
    expect(taken(pace, 10_100, 100) / 100).toBeCloseTo(24, -1);
    pace.end();
    pace.begin(20_000);
    expect(taken(pace, 20_000, 20) / 20).toBeLessThan(12);
  });

  it('halves at a loss and does not rise for a while, and a quarter remains for who lost too much', () => {
    const pace = new SinkPace();
    pace.begin(10_000);
    pace.lost(10_000);
    taken(pace, 10_000, 100);
    expect(taken(pace, 10_100, 400) / 400).toBeCloseTo(4, 0);
    pace.giveUp();
    expect(taken(pace, 10_500, 400) / 400).toBeCloseTo(1, 0);
    for (let nowMs = 10_600; nowMs < 12_000; nowMs += 100) pace.recover(nowMs);
    taken(pace, 12_000, 20);
    expect(taken(pace, 12_020, 400) / 400).toBeCloseTo(8, 0);
  });

  it('never lets through more than a burst and its highest rate', () => {
    const step = fc.record({ afterMs: fc.integer({ min: 0, max: 500 }), lost: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pace = new SinkPace();
        pace.begin(1000);
        let nowMs = 1000;
        pace.sent(pace.portion(nowMs));
        for (const { afterMs, lost } of steps) {
          nowMs += afterMs;
          if (lost) pace.lost(nowMs);
          const portion = pace.portion(nowMs);
          expect(portion).toBeLessThanOrEqual(Math.min(96, 24 * afterMs + 1));
          expect(portion).toBeGreaterThanOrEqual(0);
          pace.sent(portion);
        }
      }),
    );
  });
});
