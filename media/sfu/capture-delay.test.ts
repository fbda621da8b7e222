import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptureDelay } from './capture-delay.ts';

const clockRate = 90_000;
const startMs = 1_795_350_000_000;

describe('CaptureDelay', () => {
  it('is unknown before a report and a frame after it', () => {
    const delay = new CaptureDelay(clockRate);
    delay.noteArrival(0, startMs);
    expect(delay.ms).toBeNull();
    delay.noteReport(0, startMs);
    expect(delay.ms).toBeNull();
    delay.noteArrival(3000, startMs + 40);
    expect(delay.ms).toBeCloseTo(6.7, 1);
  });

  it('is the delay of frames, wherever their 32-bit timestamps wrap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: 10, max: 120 }),
        (first, delayMs, frames) => {
          const delay = new CaptureDelay(clockRate);
          delay.noteReport(first, startMs);
          for (let frame = 1; frame <= frames; frame++) {
            const timestamp = (first + frame * 3600) >>> 0;
            delay.noteArrival(timestamp, startMs + frame * 40 + delayMs);
            // Further packets of the same frame say nothing about its capture.
            delay.noteArrival(timestamp, startMs + frame * 40 + delayMs + 30);
          }
          expect(delay.ms).toBe(delayMs);
        },
      ),
    );
  });

  it('is not affected by single late frames', () => {
    const delay = new CaptureDelay(clockRate);
    delay.noteReport(0, startMs);
    for (let frame = 1; frame <= 60; frame++) {
      delay.noteArrival(frame * 3000, startMs + (frame * 1000) / 30 + (frame % 30 === 0 ? 90 : 8));
    }
    expect(delay.ms).toBeCloseTo(8, 1);
  });

  it('ignores reports about another time', () => {
    const delay = new CaptureDelay(clockRate);
    delay.noteReport(0, 12_345);
    delay.noteArrival(3000, startMs);
    expect(delay.ms).toBeNull();
  });
});
