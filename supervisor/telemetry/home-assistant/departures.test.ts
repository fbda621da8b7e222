import { expect, test } from 'vitest';
import type { Components } from './component.ts';
import { Departures } from './departures.ts';

const item = (name: string) => ({ platform: 'sensor', name }) as const;
const only = (...names: string[]): Components => Object.fromEntries(names.map((name) => [name, item(name)]));
const removed = { platform: 'sensor' };

test('keeps what is away for the grace period, then removes it, and restores it when it returns', () => {
  const departures = new Departures(only('a', 'b'), 1000);
  expect(departures.update(only('a'), 0)).toEqual({ b: item('b') });
  expect(departures.living).toEqual(only('a', 'b'));
  expect(departures.isDue(999)).toBe(false);
  expect(departures.isDue(1000)).toBe(true);
  expect(departures.update(only('a'), 1000)).toEqual({ b: removed });
  expect(departures.isDue(5000)).toBe(false);
  expect(departures.living).toEqual(only('a'));
  expect(departures.update(only('a', 'c'), 2000)).toEqual({ b: removed });
  expect(departures.update(only('a', 'b', 'c'), 3000)).toEqual({});
});

test('a short absence leaves no trace', () => {
  const departures = new Departures(only('a'), 1000);
  departures.update({}, 0);
  expect(departures.update(only('a'), 500)).toEqual({});
  expect(departures.isDue(1e9)).toBe(false);
  expect(departures.update({}, 600)).toEqual({ a: item('a') });
  expect(departures.isDue(1500)).toBe(false);
  expect(departures.isDue(1600)).toBe(true);
});
