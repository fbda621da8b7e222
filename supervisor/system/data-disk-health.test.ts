import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { DataDiskHealth } from './data-disk-health.ts';
import { Health } from './health.ts';

test('a card that stops keeping things degrades the appliance, and never makes it unready', async () => {
  const health = new Health();
  let trouble: () => Promise<string | null> = async () => null;
  const keeping = new DataDiskHealth({
    trouble: () => trouble(),
    register: () => health.register('data', { core: false }),
    log: pino({ level: 'silent' }),
    everyMs: 5,
  });
  const stop = new AbortController();
  expect(health.snapshot().state).toBe('ok');
  const running = keeping.run(stop.signal);
  const told = (state: string, reason: string | null) =>
    vi.waitFor(() => expect(health.snapshot().components).toEqual([{ name: 'data', state, reason }]), {
      timeout: 20_000,
      interval: 5,
    });
  await told('ok', null);
  trouble = async () => 'the card takes no more writes';
  await told('degraded', 'the card takes no more writes');
  trouble = async () => Promise.reject(new Error('no such file'));
  await told('degraded', 'it cannot be checked: no such file');
  expect(health.ready).toBe(true);
  trouble = async () => null;
  await told('ok', null);
  stop.abort();
  await running;
});
