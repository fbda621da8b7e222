import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extendSequence, SequenceUnwrapper, sequenceDistance, timestampDistance } from './sequence.ts';

describe('sequence arithmetic', () => {
  it('measures across the wrap', () => {
    expect(sequenceDistance(65535, 0)).toBe(1);
    expect(sequenceDistance(0, 65535)).toBe(-1);
    expect(timestampDistance(0xffffffff, 5)).toBe(6);
  });

  it('finds the extended number nearest to a known one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 70_000, max: 1e9 }),
        fc.integer({ min: -30_000, max: 30_000 }),
        (near, step) => {
          expect(extendSequence((near + step) & 0xffff, near)).toBe(near + step);
        },
      ),
    );
  });

  it('unwraps a reordered stream to consecutive numbers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65535 }),
        fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 200, maxLength: 400 }),
        (start, jitter) => {
          const order = jitter.map((shift, i) => ({ i, key: i + shift })).sort((a, b) => a.key - b.key);
          const unwrapper = new SequenceUnwrapper();
          const first = order[0]?.i ?? 0;
          for (const { i } of order) {
            expect(unwrapper.unwrap((start + i) & 0xffff)).toBe(
              0x10000 + ((start + first) & 0xffff) + i - first,
            );
          }
        },
      ),
    );
  });
});
