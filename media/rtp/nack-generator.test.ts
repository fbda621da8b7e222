import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NackGenerator } from './nack-generator.ts';

describe('NackGenerator', () => {
  it('requests a gap at once and again after the pause, but not what arrived meanwhile', () => {
    const generator = new NackGenerator({ retryMs: 50, maxTries: 2 });
    expect(generator.arrived(10, 0)).toBe(false);
    expect(generator.arrived(13, 1)).toBe(true);
    expect(generator.due(1)).toEqual([11, 12]);
    expect(generator.due(20)).toEqual([]);
    generator.arrived(11, 30);
    expect(generator.due(60)).toEqual([12]);
    expect(generator.due(200)).toEqual([]);
    expect(generator.abandoned).toBe(1);
    expect(generator.pending).toBe(0);
  });

  it('requests nothing from a stream that jumped', () => {
    const generator = new NackGenerator({ maxGap: 100 });
    generator.arrived(1, 0);
    expect(generator.arrived(5000, 1)).toBe(true);
    expect(generator.due(1)).toEqual([]);
    // What is not asked for is given up at once: only a keyframe helps.
    expect(generator.abandoned).toBe(4998);
  });

  it('gives up on more than anybody could retransmit', () => {
    const generator = new NackGenerator();
    for (let packet = 0; packet < 1000; packet++) {
      generator.arrived(packet * 500, 0);
      expect(generator.pending).toBeLessThanOrEqual(1024);
    }
    expect(generator.abandoned).toBeGreaterThan(0);
  });

  it('requests exactly what is missing, whatever arrives', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 2 }), (arrivals) => {
        const generator = new NackGenerator({ maxGap: 1000 });
        for (const number of arrivals) generator.arrived(number, 0);
        const got = new Set(arrivals);
        const expected = [];
        for (let n = (arrivals[0] ?? 0) + 1; n < Math.max(...arrivals); n++)
          if (!got.has(n)) expected.push(n);
        expect(generator.due(0)).toEqual(expected);
      }),
    );
  });
});
