import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { NameWatch } from './name-watch.ts';

function watch(answers: { now: string | null }, askAgain = vi.fn(async () => {})) {
  const listeners = new Set<() => void>();
  const troubles: (string | null)[] = [];
  const stop = new AbortController();
  const running = new NameWatch({
    name: 'stage',
    machine: { answered: async () => answers.now, askAgain },
    log: pino({ level: 'silent' }),
    network: {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    onTrouble: (trouble) => troubles.push(trouble),
    pausesMs: { soon: 1, late: 3_600_000 },
  }).run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { troubles, end, askAgain, changed: () => [...listeners].map((tell) => tell()), listeners };
}

test('two machines with one name: reports the current name of this one until it has its own again', async () => {
  const answers: { now: string | null } = { now: 'stage-2' };
  const { troubles, changed, end, listeners } = watch(answers);
  await vi.waitFor(() => expect(troubles).toEqual([expect.stringContaining('stage-2.local')]));
  answers.now = 'stage';
  changed();
  await vi.waitFor(() => expect(troubles).toHaveLength(2));
  expect(troubles[1]).toBeNull();
  await end();
  expect(listeners.size).toBe(0);
});

test('a machine that only received its own packets gets its name back without a message', async () => {
  const answers: { now: string | null } = { now: 'stage-2' };
  const askAgain = vi.fn(async () => {
    answers.now = 'stage';
  });
  const { troubles, end } = watch(answers, askAgain);
  await vi.waitFor(() => expect(troubles).toEqual([null]));
  expect(askAgain).toHaveBeenCalledTimes(1);
  await end();
});

test('reports a name that cannot be asked for', async () => {
  const refused = vi.fn(() => Promise.reject(new Error('disk full')));
  const { troubles, end } = watch({ now: 'stage-2' }, refused);
  await vi.waitFor(() => expect(troubles).toEqual([expect.stringContaining('stage-2.local')]));
  await end();
});

test.each([null, 'stage', 'Stage'])('%s is not a problem', async (now) => {
  const { troubles, end, askAgain } = watch({ now });
  await vi.waitFor(() => expect(troubles).toEqual([null]));
  expect(askAgain).not.toHaveBeenCalled();
  await end();
});
