import { expect, test } from 'vitest';
import { RateLimiter } from './rate-limiter.ts';

const rate = { burst: 3, perSecond: 2 };

test('a caller that asks too often waits, and nobody else does', () => {
  let nowMs = 0;
  const limiter = new RateLimiter(() => nowMs);
  const ask = (name: string, times: number) => Array.from({ length: times }, () => limiter.take(name, rate));
  expect(ask('a', 5)).toEqual([null, null, null, 1, 1]);
  expect(ask('b', 1)).toEqual([null]);
  nowMs = 1000;
  expect(ask('a', 3)).toEqual([null, null, 1]);
  nowMs = 60_000;
  expect(ask('a', 4)).toEqual([null, null, null, 1]);
});

test('thousands of invented names displace the oldest, and use no more memory than the limit', () => {
  const limiter = new RateLimiter(() => 0);
  for (let i = 0; i < 3; i++) limiter.take('a', rate);
  expect(limiter.take('a', rate)).toBe(1);
  for (let i = 0; i < 4096; i++) limiter.take(`name ${i}`, rate);
  expect(limiter.take('a', rate)).toBeNull();
});
