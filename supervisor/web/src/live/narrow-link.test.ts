import { expect, test } from 'vitest';
import { isNarrow, judge, type LinkLook, type LinkState, settle, wideLink } from './narrow-link.ts';

const good: LinkLook = { lossRatio: 0, rttMs: 20, freezes: 0 };
const lossy: LinkLook = { ...good, lossRatio: 0.2 };

/** The state after looks once a second, and the time by then. */
const after = (looks: readonly (LinkLook | null)[], from: LinkState = wideLink, fromMs = 0) =>
  looks.reduce<{ state: LinkState; ms: number }>(
    ({ state, ms }, look) => ({ state: judge(state, look, ms + 1000), ms: ms + 1000 }),
    { state: from, ms: fromMs },
  );

const many = (look: LinkLook | null, count: number) => Array.from({ length: count }, () => look);

test('a good link stays with the full layer', () => {
  expect(isNarrow(after(many(good, 100)).state)).toBe(false);
});

test('ignores one bad sample', () => {
  expect(isNarrow(after([good, lossy, good, good, good, lossy, good]).state)).toBe(false);
});

test.each([
  ['loss', lossy],
  ['a picture that stands still', { ...good, freezes: 1 }],
  ['a queue on the way', { ...good, rttMs: 400 }],
])('%s, twice, leads to the small layer', (_name, look) => {
  expect(isNarrow(after([good, good, look, look]).state)).toBe(true);
});

test('a long path is not a queue', () => {
  expect(isNarrow(after(many({ ...good, rttMs: 600 }, 20)).state)).toBe(false);
});

test('retries the full layer, and each failure delays the next attempt', () => {
  let { state, ms } = after([good, lossy, lossy]);
  const holds: number[] = [];
  for (let round = 0; round < 6; round++) {
    const began = ms;
    while (isNarrow(state)) ({ state, ms } = after([null], state, ms));
    holds.push(ms - began);
    ({ state, ms } = after(many(lossy, 10), state, ms));
    // As long as it takes to see it again.
    expect(isNarrow(state)).toBe(true);
  }
  expect(holds.toSorted((a, b) => a - b)).toEqual(holds);
  expect(holds.at(-1)).toBeLessThanOrEqual(120_000);
  expect(holds.at(-1)).toBeGreaterThan((holds[0] ?? 0) * 3);
});

test('trusts a link again that was good for a minute', () => {
  let { state, ms } = after([good, lossy, lossy]);
  while (isNarrow(state)) ({ state, ms } = after([null], state, ms));
  expect(state.holdMs).toBeGreaterThan(10_000);
  ({ state, ms } = after(many(good, 70), state, ms));
  expect(state.holdMs).toBe(10_000);
});

test('ignores what it sees right after a change of layer', () => {
  const { state, ms } = after(many(good, 5));
  const changed = settle(state, ms);
  expect(isNarrow(after([lossy, lossy], changed, ms).state)).toBe(false);
});
