import { describe, expect, it } from 'vitest';
import { FrameRateMeter, isSlow, rateOf } from './frame-rate.ts';

function measured(fps: number, seconds: number, lookMs = 500) {
  const meter = new FrameRateMeter();
  for (let ms = 0; ms <= seconds * 1000; ms += lookMs) meter.note(Math.floor((ms * fps) / 1000), ms);
  return meter.fps;
}

describe('the rate of a source', () => {
  it('is measured once there are enough frames', () => {
    expect(measured(30, 1)).toBeNull();
    expect(measured(30, 20)).toBeCloseTo(30, 0);
    expect(measured(3, 20)).toBeCloseTo(3, 0);
  });

  it('is the current rate, not the average', () => {
    const meter = new FrameRateMeter();
    for (let ms = 0; ms <= 60_000; ms += 500) meter.note(Math.floor(ms * 0.03), ms);
    for (let ms = 0; ms <= 10_000; ms += 500) meter.note(1800 + Math.floor(ms * 0.015), 60_000 + ms);
    expect(meter.fps).toBeCloseTo(15, 0);
  });

  it('is the rate the stream states if that is close, else a common rate', () => {
    expect(rateOf(29.97, 29.8)).toBe(29.97);
    expect(rateOf(50, 24.8)).toBe(25);
    expect(rateOf(undefined, 12.4)).toBe(12.5);
    expect(rateOf(undefined, null)).toBeNull();
    expect(rateOf(25, null)).toBe(25);
    expect(rateOf(undefined, 35.123)).toBe(35.12);
  });

  it('is slow below four fifths of the requested rate', () => {
    expect(isSlow(3, 30)).toBe(true);
    expect(isSlow(15, 30)).toBe(true);
    expect(isSlow(29, 30)).toBe(false);
    expect(isSlow(null, 30)).toBe(false);
  });
});
