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
