import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClockOffsetFilter } from './clock-offset.ts';

const startMs = 1_795_350_000_000;

/** A ping that took so long there and back, to a clock that is so far ahead. */
const exchange = (atMs: number, offsetMs: number, thereMs: number, backMs: number) => ({
  sentMs: atMs,
  answeredMs: atMs + thereMs + offsetMs,
  receivedMs: atMs + thereMs + backMs,
});

describe('ClockOffsetFilter', () => {
  test('knows nothing before the first exchange, and nothing again after a reset', () => {
    const filter = new ClockOffsetFilter();
    expect(filter.current(startMs)).toBeNull();
    filter.add(exchange(startMs, 5, 1, 1));
    expect(filter.current(startMs)).toEqual({ offsetMs: 5, uncertaintyMs: 2 });
    filter.reset();
    expect(filter.current(startMs)).toBeNull();
  });

  test('the offset lies within the reported uncertainty on any asymmetric network', () => {
    const trip = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(
        fc.integer({ min: -10_000, max: 10_000 }),
        fc.array(fc.tuple(trip, trip), { minLength: 1, maxLength: 100 }),
        (offsetMs, trips) => {
          const filter = new ClockOffsetFilter();
          trips.forEach(([thereMs, backMs], index) => {
            filter.add(exchange(startMs + index * 2000, offsetMs, thereMs, backMs));
          });
          const known = filter.current(startMs + trips.length * 2000);
          expect(Math.abs((known?.offsetMs ?? Number.NaN) - offsetMs)).toBeLessThanOrEqual(
            (known?.uncertaintyMs ?? 0) + 0.1,
          );
        },
      ),
    );
  });

  test('trusts one quick exchange over slow ones', () => {
    const filter = new ClockOffsetFilter();
    filter.add(exchange(startMs, 20, 80, 2));
    filter.add(exchange(startMs + 2000, 20, 1, 1));
    filter.add(exchange(startMs + 4000, 20, 2, 120));
    expect(filter.current(startMs + 4200)).toEqual({ offsetMs: 20, uncertaintyMs: 2.2 });
  });

  test('trusts a clock that was set at once', () => {
    const filter = new ClockOffsetFilter();
    for (let n = 0; n < 10; n += 1) filter.add(exchange(startMs + n * 2000, 4000, 1, 1));
    filter.add(exchange(startMs + 20_000, 0, 5, 5));
    expect(filter.current(startMs + 20_010)?.offsetMs).toBe(0);
    // This machine's own clock went back in the middle of an exchange: nothing can be learned from it.
    filter.add({ sentMs: startMs + 30_000, answeredMs: startMs, receivedMs: startMs });
    expect(filter.current(startMs + 20_010)?.offsetMs).toBe(0);
  });
});
