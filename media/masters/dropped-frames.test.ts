import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countDroppedFrames, missingBetween } from './dropped-frames.ts';

const rate = fc.constantFrom(10, 23.976, 25, 29.97, 30, 50, 59.94, 60, 120);

describe('countDroppedFrames', () => {
  it('counts exactly the frames left out, whatever the jitter below a third of a period', () => {
    const frame = fc.record({
      kept: fc.boolean(),
      jitter: fc.double({ min: -0.16, max: 0.16, noNaN: true }),
    });
    fc.assert(
      fc.property(rate, fc.array(frame, { minLength: 1 }), fc.nat({ max: 2e9 }), (fps, inner, startS) => {
        const frames = [{ kept: true, jitter: 0 }, ...inner, { kept: true, jitter: 0 }];
        const times = frames.map(({ jitter }, index) => startS + (index + jitter) / fps);
        const kept = times.filter((_time, index) => frames[index]?.kept);
        expect(countDroppedFrames(kept, fps)).toBe(frames.length - kept.length);
      }),
    );
  });

  it('is 0 for nothing, for one frame, and for time that stands still or runs back', () => {
    expect(countDroppedFrames([], 30)).toBe(0);
    expect(countDroppedFrames([1], 30)).toBe(0);
    expect(countDroppedFrames([2, 2, 1], 30)).toBe(0);
  });

  it('is never negative nor endless', () => {
    const time = fc.double({ noNaN: false });
    fc.assert(
      fc.property(time, time, rate, (a, b, fps) => {
        const missing = missingBetween(a, b, fps);
        expect(missing >= 0 && Number.isFinite(missing)).toBe(true);
      }),
    );
  });
});
