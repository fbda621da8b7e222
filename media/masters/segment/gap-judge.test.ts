import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GapJudge } from './gap-judge.ts';

const missing = (gapsMs: readonly number[], fps: number) => {
  const judge = new GapJudge(fps);
  for (const gapMs of gapsMs) judge.add(gapMs / 1000);
  return judge.missing;
};
const many = (gapMs: number, count = 100) => Array.from({ length: count }, () => gapMs);

describe('missing frames', () => {
  it('are 0 if a network camera sends 12.5 or 15 frames instead of 25', () => {
    expect(missing(many(80), 25)).toBe(0);
    expect(missing(many(1000 / 15), 25)).toBe(0);
    expect(missing(many(20), 25)).toBe(0);
    for (const count of [8, 11, 14, 15, 16]) expect(missing(many(80, count), 25)).toBe(0);
  });

  it('are 0 if a USB camera halves its rate in the dark and returns to it', () => {
    expect(missing([...many(33.3), ...many(66.6), ...many(33.3)], 30)).toBe(0);
  });

  it('are counted by the current rate', () => {
    expect(missing([...many(33.3), 200, ...many(33.3)], 30)).toBe(5);
    expect(missing([...many(66.6), 400, ...many(66.6)], 30)).toBe(5);
  });

  it('are all counted if a slow recorder loses them unevenly', () => {
    const uneven = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 33.3 : 66.6));
    expect(missing(uneven, 30)).toBe(50);
    expect(missing([33.3, 66.6, 33.3], 30)).toBe(1);
  });

  it('are the same for a steady camera at its nominal rate, whatever its jitter', () => {
    const jitter = fc.array(fc.integer({ min: 25, max: 45 }), { maxLength: 60 });
    fc.assert(
      fc.property(jitter, (gapsMs) => {
        expect(missing(gapsMs, 30)).toBe(0);
      }),
    );
  });
});
