import { expect, test } from 'vitest';
import { armedForMs, disarmed, isArmed, leastGapMs, press } from './stop-arming.ts';

test('one press arms, a second one stops', () => {
  const first = press(disarmed, 1000);
  expect(first.stops).toBe(false);
  expect(isArmed(first.arming, 1001)).toBe(true);
  expect(press(first.arming, 1000 + leastGapMs)).toEqual({ arming: disarmed, stops: true });
});

test('a double tap does not stop', () => {
  const first = press(disarmed, 1000);
  expect(press(first.arming, 1000 + leastGapMs - 1).stops).toBe(false);
});

test('an armed button disarms', () => {
  const first = press(disarmed, 1000);
  expect(isArmed(first.arming, 1000 + armedForMs)).toBe(false);
  const late = press(first.arming, 1000 + armedForMs);
  expect(late).toEqual({ arming: { armedAtMs: 1000 + armedForMs }, stops: false });
});
