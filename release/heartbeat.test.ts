import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { heartbeat, stillAt } from './heartbeat.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('a long step reports every half minute, and not after its end', () => {
  const lines: string[] = [];
  {
    using _ = heartbeat('deb amd64', (line) => lines.push(line));
    vi.advanceTimersByTime(29_000);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(36_000);
  }
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual(['   … 0:30 min, still at: deb amd64', '   … 1:00 min, still at: deb amd64']);
});

test('prints minutes without a limit', () => {
  expect(stillAt('x', 3725)).toBe('   … 62:05 min, still at: x');
});
