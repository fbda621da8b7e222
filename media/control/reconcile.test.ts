import { expect, it } from 'vitest';
import { reconcile } from './reconcile.ts';

it('ends unwanted sessions at once; a slow one does not delay the others', async () => {
  const running = new Map<string, { key: string; item: AsyncDisposable }>();
  const ending: string[] = [];
  const waits: (() => void)[] = [];
  const create = async (name: string): Promise<AsyncDisposable> => ({
    [Symbol.asyncDispose]: () => {
      ending.push(name);
      return new Promise((resolve) => waits.push(resolve));
    },
  });
  const problems: string[] = [];
  const apply = (wanted: readonly string[]) => reconcile(running, wanted, (name) => name, problems, create);
  await apply(['a', 'b', 'c']);
  const applied = apply(['b', 'd']);
  expect(ending).toEqual(['a', 'c']);
  for (const done of waits) done();
  await applied;
  expect([...running.keys()]).toEqual(['b', 'd']);
  expect(problems).toEqual([]);
});
