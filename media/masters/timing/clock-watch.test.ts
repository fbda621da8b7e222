import { expect, it } from 'vitest';
import { ClockWatch } from './clock-watch.ts';

it('reports each clock step once, and no ordinary passing of time', () => {
  let [wallMs, steadyMs] = [1e12, 5000];
  const watch = new ClockWatch({ wallMs: () => wallMs, steadyMs: () => steadyMs });
  const pass = (ms: number, byMs = 0) => {
    wallMs += ms + byMs;
    steadyMs += ms;
  };
  pass(500);
  expect(watch.step()).toBeNull();
  pass(500, 7_200_000);
  expect(watch.step()).toBe(7200);
  pass(500, 3);
  expect(watch.step()).toBeNull();
  pass(500, -7_200_000);
  expect(watch.step()).toBe(-7200);
});

it('does not mistake a pause between two checks for a step', () => {
  let nowMs = 0;
  let pausesMs: number[] = [];
  // Each look may be followed by a pause of the machine.
  const look = () => {
    const seen = nowMs;
    nowMs += pausesMs.shift() ?? 0;
    return seen;
  };
  const watch = new ClockWatch({ wallMs: () => 1e12 + look(), steadyMs: look });
  for (const pauses of [[900], [0, 900], [900, 900, 900, 900], [0, 0, 900]]) {
    pausesMs = pauses;
    nowMs += 500;
    expect(watch.step()).toBeNull();
  }
});
