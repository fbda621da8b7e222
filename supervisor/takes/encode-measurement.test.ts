import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { EncodeMeasurement } from './encode-measurement.ts';

it('keeps asking for a measurement, whatever its result, and ends with its signal', async () => {
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const stop = new AbortController();
  const measure = vi.fn(async (signal: AbortSignal) => {
    if (measure.mock.calls.length < 3) throw new Error('no room');
    await sleep(60_000, undefined, { signal });
  });
  const pausesMs = { first: 1, others: 1 };
  const running = new EncodeMeasurement({ masters: { measure }, log, pausesMs }).run(stop.signal);
  await vi.waitFor(() => expect(measure.mock.calls.length).toBe(3), 10_000);
  stop.abort();
  await running;
  expect(warnings).toHaveLength(1);
});
