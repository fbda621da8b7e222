import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeOf } from './dead-band.ts';
import { SteadyState } from './steady-state.ts';

test('a moving figure does not publish any other', () => {
  const steady = new SteadyState();
  const first = steady.next(null, { temperature_c: 48, free_gb: 20, list: ['a'] }, 0);
  const second = steady.next(first, { temperature_c: 50, free_gb: 20.1, list: ['a'] }, 1000);
  expect(second).toEqual({ temperature_c: 50, free_gb: 20, list: ['a'] });
});

test('publishes a jittery figure as its mean, and follows a step', () => {
  const steady = new SteadyState();
  let state = steady.next(null, { bitrate_kbps: 6000 }, 0);
  for (let ms = 0; ms < 60_000; ms += 250) {
    state = steady.next(state, { bitrate_kbps: ms % 500 === 0 ? 5000 : 7000 }, ms);
  }
  expect(state).toEqual({ bitrate_kbps: 6000 });
  for (let ms = 60_000; ms < 600_000; ms += 250) state = steady.next(state, { bitrate_kbps: 2000 }, ms);
  expect(state.bitrate_kbps).toBeLessThan(2250);
});

test('words, booleans, lists and unknown figures have their current value', () => {
  const steady = new SteadyState();
  const first = steady.next(null, { fps: 30, on: false, why: 'x', list: [{ a: 1 }] } as object, 0);
  const now = { fps: null, on: true, why: null, list: [] };
  expect(steady.next(first, now, 1)).toEqual(now);
});

test('counts as unchanged while every figure stays within its band', () => {
  const figures = fc.record({
    temperature_c: fc.double({ noNaN: true, min: -20, max: 100 }),
    name: fc.string(),
  });
  fc.assert(
    fc.property(figures, figures, (before, now) => {
      const steady = new SteadyState();
      const published = steady.next(null, before, 0);
      const next = steady.next(published, now, 1000);
      expect(changeOf(published, next)).toBe(changeOf(published, now));
    }),
  );
});
