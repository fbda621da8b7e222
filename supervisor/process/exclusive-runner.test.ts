import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExclusiveRunner } from './exclusive-runner.ts';

function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}

describe('ExclusiveRunner', () => {
  it('never runs two tasks at once, and runs all in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('update', 'reboot'), fc.boolean()), { maxLength: 20 }),
        async (jobs) => {
          const runner = new ExclusiveRunner();
          const order: number[] = [];
          let inside = 0;
          const all = jobs.map(([name, fails], index) =>
            runner.run(name, async () => {
              inside += 1;
              await Promise.resolve();
              order.push(inside === 1 ? index : -1);
              inside -= 1;
              if (fails) throw new Error('failed');
            }),
          );
          const results = await Promise.allSettled(all);
          expect(order).toEqual(jobs.map((_, index) => index));
          expect(results.map(({ status }) => status === 'rejected')).toEqual(jobs.map(([, fails]) => fails));
          expect(runner.current).toBeUndefined();
        },
      ),
    );
  });

  it('joins waiting tasks of one name: runs the latest once for all', async () => {
    const runner = new ExclusiveRunner();
    const { opened, open } = gate();
    const ran: number[] = [];
    const apply = (value: number) =>
      runner.run(
        'apply',
        async () => {
          ran.push(value);
          return value;
        },
        { coalesce: true },
      );
    const first = runner.run('apply', () => opened, { coalesce: true });
    const others = [apply(1), apply(2), apply(3)];
    expect(runner.waiting).toEqual(['apply']);
    open();
    await first;
    expect(await Promise.all(others)).toEqual([3, 3, 3]);
    expect(ran).toEqual([3]);
  });

  it('lets a waiting caller leave', async () => {
    const runner = new ExclusiveRunner();
    const { opened, open } = gate();
    const abort = new AbortController();
    const first = runner.run('update', () => opened);
    const second = runner.run('reboot', async () => expect.unreachable(), { signal: abort.signal });
    abort.abort(new Error('changed my mind'));
    await expect(second).rejects.toThrow('changed my mind');
    expect(runner.waiting).toEqual([]);
    open();
    await first;
  });

  it('keeps a joined task for the remaining callers', async () => {
    const runner = new ExclusiveRunner();
    const { opened, open } = gate();
    const abort = new AbortController();
    const first = runner.run('update', () => opened);
    const leaver = runner.run('apply', async () => 'applied', { coalesce: true, signal: abort.signal });
    const stayer = runner.run('apply', async () => 'applied', { coalesce: true });
    abort.abort(new Error('gone'));
    await expect(leaver).rejects.toThrow('gone');
    open();
    await first;
    expect(await stayer).toBe('applied');
  });

  it('cancels the running task when its caller leaves, and waits until it has finished', async () => {
    const runner = new ExclusiveRunner();
    const abort = new AbortController();
    const events: string[] = [];
    const update = runner.run(
      'update',
      async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        await new Promise(setImmediate);
        events.push('wound up');
        signal.throwIfAborted();
      },
      { signal: abort.signal },
    );
    const reboot = runner.run('reboot', async () => void events.push('reboot'));
    abort.abort(new Error('cancelled'));
    await expect(update).rejects.toThrow('cancelled');
    await reboot;
    expect(events).toEqual(['wound up', 'reboot']);
    await expect(runner.run('x', async () => {}, { signal: abort.signal })).rejects.toThrow('cancelled');
  });
});
