import { describe, expect, it } from 'vitest';
import { SinkPace } from './sink-pace.ts';

/** Packets in a millisecond, taken every 4 ms. */
function rate(pace: SinkPace, fromMs: number): number {
  let packets = 0;
  for (let nowMs = fromMs; nowMs < fromMs + 400; nowMs += 4) {
    const portion = pace.portion(nowMs);
    expect(portion).toBeLessThanOrEqual(32);
    pace.sent(portion);
    packets += portion;
  }
  return packets / 400;
}

describe('The pace of a sink', () => {
  it('is a quarter for who lost too much, until it has all', () => {
    const pace = new SinkPace();
    expect(rate(pace, 10_000)).toBeCloseTo(8, 0);
    pace.giveUp();
    expect(rate(pace, 20_000)).toBeCloseTo(2, 0);
    pace.end();
    expect(rate(pace, 30_000)).toBeCloseTo(8, 0);
  });
});
