import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Deed, kinds, lengthOf, makePlan, type Step, victims, wordsOf } from './plan.ts';

const lengthMs = 180_000;
const seeds = fc.nat(2 ** 31);
const all = (plan: ReturnType<typeof makePlan>): Step[] => kinds.flatMap((kind) => plan[kind]);

describe('the plan of a chaos run', () => {
  test('is the same for the same seed and different for another', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(makePlan(seed, lengthMs)).toEqual(makePlan(seed, lengthMs));
        expect(makePlan(seed, lengthMs)).not.toEqual(makePlan(seed + 1, lengthMs));
      }),
      { numRuns: 20 },
    );
  });

  test('does something of each kind, one after the other in each lane, and nothing beyond its end', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const plan = makePlan(seed, lengthMs);
        for (const kind of kinds) {
          expect(plan[kind].length).toBeGreaterThan(2);
          let freeAtMs = 0;
          for (const { atMs, deed } of plan[kind]) {
            expect(deed.kind).toBe(kind);
            expect(atMs).toBeGreaterThanOrEqual(freeAtMs);
            freeAtMs = atMs + lengthOf(deed);
          }
          expect(freeAtMs).toBeLessThanOrEqual(lengthMs);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('of a longer run begins like that of a shorter one', () => {
    const [short, long] = [makePlan(7, 60_000), makePlan(7, 600_000)];
    for (const kind of kinds) expect(long[kind].slice(0, short[kind].length)).toEqual(short[kind]);
  });

  test('kills every kind of process on both machines within ten minutes or two, whatever the seed', () => {
    for (const seed of [1, 2, 3]) {
      const kills = makePlan(seed, 1_200_000).kill.map(({ deed }) => wordsOf(deed as Deed));
      for (const victim of victims) expect(kills.some((words) => words.includes(victim))).toBe(true);
    }
  });

  test('can be printed in words', () => {
    for (const { deed } of all(makePlan(5, lengthMs))) expect(wordsOf(deed)).toMatch(/\w{3}/);
  });
});
