import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamNormalizer } from './stream-normalizer.ts';

const start = { sequence: 1000, timestamp: 5000 };

describe('StreamNormalizer', () => {
  it('goes on without a gap when another source takes over', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            sequence: fc.integer({ min: 0, max: 65535 }),
            timestamp: fc.integer({ min: 0, max: 0xffffffff }),
            packets: fc.integer({ min: 1, max: 50 }),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        (sources) => {
          const normalizer = new StreamNormalizer(90_000, start);
          let nowMs = 1;
          let next = 1000;
          let lastTimestamp: number | null = null;
          sources.forEach((source, ssrc) => {
            for (let i = 0; i < source.packets; i++, nowMs += 10, next++) {
              const timestamp = (source.timestamp + i * 900) >>> 0;
              const place = normalizer.place(ssrc, (source.sequence + i) & 0xffff, timestamp, nowMs);
              expect(place?.sequence).toBe(next);
              expect(place?.restarted).toBe(i === 0);
              const elapsed = lastTimestamp === null ? 900 : ((place?.timestamp ?? 0) - lastTimestamp) >>> 0;
              expect(elapsed).toBe(900);
              lastTimestamp = place?.timestamp ?? 0;
            }
          });
        },
      ),
    );
  });

  it('keeps gaps and puts late packets where they belong', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    expect(normalizer.place(1, 10, 0, 0)?.sequence).toBe(1000);
    expect(normalizer.place(1, 13, 0, 1)?.sequence).toBe(1003);
    expect(normalizer.place(1, 11, 0, 2)?.sequence).toBe(1001);
    expect(normalizer.place(1, 9, 0, 2)).toBeNull();
  });

  it('takes a far jump within one source for a restart', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    normalizer.place(1, 10, 0, 0);
    expect(normalizer.startsSource(1, 20_000)).toBe(true);
    expect(normalizer.place(1, 20_000, 77, 10)).toEqual({ sequence: 1001, timestamp: 5900, restarted: true });
  });

  it('makes room for packets that were cut in pieces', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    expect(normalizer.place(1, 10, 0, 0)?.sequence).toBe(1000);
    normalizer.insert(2);
    expect(normalizer.place(1, 11, 0, 0)?.sequence).toBe(1003);
    expect(normalizer.place(1, 10, 0, 0)).toBeNull();
  });

  it('translates the timestamps of sender reports', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    normalizer.place(1, 10, 100, 0);
    expect(normalizer.timestampOf(1, 200)).toBe(5100);
    expect(normalizer.timestampOf(2, 200)).toBeNull();
  });
});
