import { expect, test, vi } from 'vitest';
import { NameWatch } from './name-watch.ts';

function watch(answers: { now: string | null }) {
  const listeners = new Set<() => void>();
  const troubles: (string | null)[] = [];
  const stop = new AbortController();
  const running = new NameWatch({
    name: 'stage',
    machine: { answered: async () => answers.now },
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
  return { troubles, end, changed: () => [...listeners].map((tell) => tell()), listeners };
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

test.each([null, 'stage', 'Stage'])('%s is not a problem', async (now) => {
  const { troubles, end } = watch({ now });
  await vi.waitFor(() => expect(troubles).toEqual([null]));
  await end();
});
