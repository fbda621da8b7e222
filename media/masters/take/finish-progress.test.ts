import { expect, it } from 'vitest';
import { FinishMeter } from './finish-progress.ts';

it('tells what share of the work is done, and how long the rest takes at that pace', () => {
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

it('never tells more than all, nor divides by nothing', () => {
  const meter = new FinishMeter(() => 5);
  expect(meter.progress()).toEqual({ done: 0, remainingS: null });
  meter.begin(0);
  meter.step(10);
  expect(meter.progress()).toEqual({ done: 1, remainingS: null });
});
