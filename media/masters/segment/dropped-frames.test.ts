import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingBetween, withoutSteps } from './dropped-frames.ts';
import { FrameSums } from './frame-sums.ts';

/** Frames missing within a segment. */
function countDroppedFrames(timestampsS: readonly number[], fps: number): number {
  const sums = new FrameSums(fps);
  for (const timeS of timestampsS) sums.add(timeS);
  return sums.progress().droppedFrames;
}

const rate = fc.constantFrom(10, 23.976, 25, 29.97, 30, 50, 59.94, 60, 120);

describe('countDroppedFrames', () => {
  it('counts exactly the missing frames for any jitter below a third of a period', () => {
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

  it('is 0 for nothing, for one frame, and for time that stands still or runs backwards', () => {
    expect(countDroppedFrames([], 30)).toBe(0);
    expect(countDroppedFrames([1], 30)).toBe(0);
    expect(countDroppedFrames([2, 2, 1], 30)).toBe(0);
  });

  it('is never negative or infinite', () => {
    const time = fc.double({ noNaN: false });
    fc.assert(
      fc.property(time, time, rate, (a, b, fps) => {
        const missing = missingBetween(a, b, fps);
        expect(missing >= 0 && Number.isFinite(missing)).toBe(true);
      }),
    );
  });
});

describe('FrameSums', () => {
  const fps = 30;
  const line = (count: number, fromS = 100) =>
    Array.from({ length: count }, (_, index) => fromS + index / fps);
  const count = (timesS: readonly number[], steps: readonly number[] = []) => {
    const sums = new FrameSums(fps, steps);
    for (const timeS of timesS) sums.add(timeS);
    return sums.progress();
  };

  it('recognises a single frame far off the time line, wherever it is', () => {
    const off = fc.oneof(fc.double({ min: 0.2, max: 1e7, noNaN: true }), fc.constantFrom(3600, 5, 47_721));
    fc.assert(
      fc.property(off, fc.boolean(), fc.integer({ min: 1, max: 58 }), fc.boolean(), (byS, back, at, last) => {
        const times = line(60);
        times[at] = (times[at] ?? 0) + (back ? -byS : byS);
        const seen = last ? times : times.slice(0, at + 2);
        expect(count(seen)).toMatchObject({ frames: seen.length, droppedFrames: 0 });
      }),
    );
  });

  it('still counts the missing frames around such a frame', () => {
    const times = line(60);
    times[20] = 100 + 3600;
    times.splice(21, 5);
    expect(count(times).droppedFrames).toBe(5);
  });

  it('counts a gap at once, and as one', () => {
    const times = [...line(10), ...line(10, 160)];
    expect(count(times.slice(0, 11)).droppedFrames).toBe(1790);
    expect(count(times).droppedFrames).toBe(1790);
  });

  it('does not count a clock step as a gap in either direction, but counts a gap next to it', () => {
    const steps = fc.double({ min: 2, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(steps, fc.boolean(), fc.nat({ max: 20 }), (byS, back, lost) => {
        const seconds = back ? -byS : byS;
        const before = line(30);
        const after = line(30, 101 + seconds + lost / fps);
        expect(count([...before, ...after], [seconds]).droppedFrames).toBe(lost);
      }),
    );
    expect(count([...line(30), ...line(30, 7301), ...line(30, 102)], [7200, -7200]).droppedFrames).toBe(0);
  });

  it('does not mistake a gap for a step of another size', () => {
    expect(count([...line(30), ...line(30, 111)], [7200]).droppedFrames).toBe(300);
  });
});

describe('withoutSteps', () => {
  it('continues as if nobody had set the clock', () => {
    const seconds = fc.double({ min: 2, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(seconds, fc.boolean(), fc.integer({ min: 1, max: 59 }), (byS, back, at) => {
        const step = back ? -byS : byS;
        const times = Array.from({ length: 60 }, (_, index) => 100 + index / 30);
        const stepped = times.map((timeS, index) => (index < at ? timeS : timeS + step));
        withoutSteps(stepped, [step]).forEach((timeS, index) => {
          expect(timeS).toBeCloseTo(times[index] ?? 0, 5);
        });
      }),
    );
  });

  it('leaves times without such a step alone', () => {
    expect(withoutSteps([1, 2, 60, 61], [7200])).toEqual([1, 2, 60, 61]);
    expect(withoutSteps([], [5])).toEqual([]);
  });
});
