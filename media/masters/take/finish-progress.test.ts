import { expect, it } from 'vitest';
import { FinishMeter } from './finish-progress.ts';

it('reports the finished share and the time left at the current pace', () => {
  let nowS = 100;
  const meter = new FinishMeter(() => nowS);
  meter.begin(400);
  expect(meter.progress()).toEqual({ done: 0, remainingS: null });
  nowS += 1;
  meter.frames(100);
  expect(meter.progress()).toEqual({ done: 0.25, remainingS: null });
  nowS += 9;
  expect(meter.progress()).toEqual({ done: 0.25, remainingS: 30 });
  meter.step(200);
  expect(meter.progress()).toEqual({ done: 0.5, remainingS: 10 });
  meter.frames(200);
  expect(meter.progress()).toEqual({ done: 1, remainingS: 0 });
});

it('never reports more than everything and never divides by zero', () => {
  const meter = new FinishMeter(() => 5);
  expect(meter.progress()).toEqual({ done: 0, remainingS: null });
  meter.begin(0);
  meter.step(10);
  expect(meter.progress()).toEqual({ done: 1, remainingS: null });
});
