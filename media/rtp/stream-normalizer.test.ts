import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamNormalizer } from './stream-normalizer.ts';

const start = { sequence: 1000, timestamp: 5000 };

describe('StreamNormalizer', () => {
  it('continues without a gap when another source takes over', () => {
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

  it('keeps gaps and puts late packets in their place', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    expect(normalizer.place(1, 10, 0, 0)?.sequence).toBe(1000);
    expect(normalizer.place(1, 13, 0, 1)?.sequence).toBe(1003);
    expect(normalizer.place(1, 11, 0, 2)?.sequence).toBe(1001);
    expect(normalizer.place(1, 9, 0, 2)).toBeNull();
  });

  it('treats a far jump within one source as a restart', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    normalizer.place(1, 10, 0, 0);
    expect(normalizer.startsSource(1, 20_000)).toBe(true);
    expect(normalizer.place(1, 20_000, 77, 10)).toMatchObject({
      sequence: 1001,
      timestamp: 5900,
      restarted: true,
    });
  });

  it('makes room for packets that were split', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    expect(normalizer.place(1, 10, 0, 0)?.sequence).toBe(1000);
    normalizer.insert(2);
    expect(normalizer.place(1, 11, 0, 0)?.sequence).toBe(1003);
    expect(normalizer.place(1, 12, 0, 0)?.sequence).toBe(1004);
  });

  it('still has a place for late repairs behind packets that were split', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    const placed = new Map<number, number>();
    for (const sequence of [10, 12, 14, 13, 11]) {
      const place = normalizer.place(1, sequence, 0, 0);
      placed.set(sequence, place?.sequence ?? -1);
      if (place?.newest) normalizer.insert(1);
    }
    expect([...placed].sort()).toEqual([
      [10, 1000],
      [11, 1002],
      [12, 1003],
      [13, 1005],
      [14, 1006],
    ]);
  });

  it.each([
    ['back 10 s', -10 * 90_000],
    ['back an hour', -3600 * 90_000],
    ['ahead half the circle', 2 ** 31],
    ['ahead an hour', 3600 * 90_000],
  ])('continues if the timestamps of one source step %s', (_, step) => {
    const normalizer = new StreamNormalizer(90_000, start);
    const timestamps: number[] = [];
    let steps = 0;
    for (let frame = 0; frame < 20; frame++) {
      const timestamp = 1_000_000_000 + frame * 3000 + (frame < 10 ? 0 : step);
      for (let part = 0; part < 3; part++) {
        const place = normalizer.place(1, frame * 3 + part, timestamp >>> 0, frame * 33.3);
        expect(place?.sequence).toBe(1000 + frame * 3 + part);
        expect(place?.restarted).toBe(frame === 0 && part === 0);
        if (place?.stepped) steps++;
        if (part === 0) timestamps.push(place?.timestamp ?? 0);
      }
    }
    const distances = timestamps.slice(1).map((timestamp, i) => timestamp - (timestamps[i] ?? 0));
    for (const distance of distances) expect(distance).toBeGreaterThan(2900);
    for (const distance of distances) expect(distance).toBeLessThan(3100);
    expect(steps).toBe(1);
    expect(normalizer.timestampOf(1, (1_000_000_000 + step) >>> 0, 20 * 33)).not.toBeNull();
    if (Math.abs(step) > 10 * 90_000) expect(normalizer.timestampOf(1, 1_000_000_000, 20 * 33)).toBeNull();
  });

  it.each([3600 * 90_000, -9800 * 90_000, -10 * 90_000])(
    'keeps a lone frame that is off by %d on the time line, and affects no other frame',
    (step) => {
      const normalizer = new StreamNormalizer(90_000, start);
      const places = Array.from({ length: 20 }, (_, frame) => {
        const timestamp = 1_000_000_000 + frame * 3000 + (frame === 10 ? step : 0);
        return normalizer.place(1, frame, timestamp >>> 0, frame * 33.3);
      });
      const first = places[0]?.timestamp ?? 0;
      expect(places.some((place) => place?.stepped)).toBe(false);
      places.forEach((place, frame) => {
        const off = Math.abs((place?.timestamp ?? 0) - first - frame * 3000);
        expect(off).toBeLessThanOrEqual(frame === 10 ? 100 : 0);
      });
      const late = normalizer.place(1, 5, 1_000_000_000 + 5 * 3000, 700);
      expect(late?.timestamp).toBe(first + 5 * 3000);
    },
  );

  it('keeps the order of pictures that refer to later ones', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    const order = [0, 4, 2, 1, 3, 8, 6, 5, 7];
    const timestamps = order.map((frame, i) => normalizer.place(1, i, frame * 3000, i * 33)?.timestamp);
    expect(timestamps).toEqual(order.map((frame) => 5000 + frame * 3000));
  });

  it('recognises a pause of the source', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    normalizer.place(1, 0, 0, 0);
    const place = normalizer.place(1, 1, 600 * 90_000, 600_000);
    expect(place).toMatchObject({ timestamp: 5000 + 600 * 90_000, stepped: false });
  });

  it('translates the timestamps of sender reports', () => {
    const normalizer = new StreamNormalizer(90_000, start);
    normalizer.place(1, 10, 100, 0);
    expect(normalizer.timestampOf(1, 200, 0)).toBe(5100);
    expect(normalizer.timestampOf(2, 200, 0)).toBeNull();
  });
});
