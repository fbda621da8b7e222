import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { RemainingTime } from './remaining-time.ts';

test('a disk that cannot be queried while it is being pulled ends nothing', async () => {
  const answers: (number | Error)[] = [90.7, Object.assign(new Error('i/o error'), { code: 'EIO' }), 60];
  const masters = {
    remainingSeconds: async () => {
      const [answer = 60] = answers.length > 1 ? answers.splice(0, 1) : answers;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const remaining = new RemainingTime({ masters, log: pino({ level: 'silent' }), everyMs: 5 });
  const stop = new AbortController();
  const running = remaining.run(stop.signal);
  await vi.waitFor(() => expect(remaining.latest).toBe(60), { timeout: 20_000, interval: 5 });
  stop.abort();
  await running;
});
