import { expect, it } from 'vitest';
import { oneAtATime } from './name-lookup.ts';

it('a name whose lookup hangs takes one slot, however often it is requested', async () => {
  const started: string[] = [];
  const waiting = new Map<string, (addresses: { address: string; family: number }[]) => void>();
  const addressesOf = oneAtATime((name) => {
    started.push(name);
    return new Promise((resolve) => waiting.set(name, resolve));
  });
  const asked = ['slow', 'slow', 'other', 'slow'].map((name) => addressesOf(name));
  await new Promise((resolve) => setImmediate(resolve));
  expect(started).toEqual(['slow']);
  waiting.get('slow')?.([{ address: '192.0.2.1', family: 4 }]);
  await Promise.all([asked[0], asked[1], asked[3]]);
  expect(started).toEqual(['slow', 'other']);
  waiting.get('other')?.([]);
  await expect(asked[2]).resolves.toEqual([]);
  void addressesOf('slow');
  await new Promise((resolve) => setImmediate(resolve));
  expect(started).toEqual(['slow', 'other', 'slow']);
});
