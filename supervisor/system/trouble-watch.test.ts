import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { Health } from './health.ts';
import { TroubleWatch } from './trouble-watch.ts';

test('a card that stops storing data degrades the appliance but never makes it unready', async () => {
  const health = new Health();
  let trouble: () => Promise<string | null> = async () => null;
  const watch = new TroubleWatch({
    logLine: 'settings are not being saved to the card',
    trouble: () => trouble(),
    register: () => health.register('data', { core: false }),
    log: pino({ level: 'silent' }),
    everyMs: 5,
  });
  const stop = new AbortController();
  expect(health.snapshot().state).toBe('ok');
  const running = watch.run(stop.signal);
  const shows = (state: string, reason: string | null) =>
    vi.waitFor(() => expect(health.snapshot().components).toEqual([{ name: 'data', state, reason }]), {
      timeout: 20_000,
      interval: 5,
    });
  await shows('ok', null);
  trouble = async () => 'the card accepts no more writes';
  await shows('degraded', 'the card accepts no more writes');
  trouble = async () => Promise.reject(new Error('no such file'));
  await shows('degraded', 'it cannot be checked: no such file');
  expect(health.ready).toBe(true);
  trouble = async () => null;
  await shows('ok', null);
  stop.abort();
  await running;
});
