import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { DiskGate } from './disk-gate.ts';

const never = () => new Promise<never>(() => {});
const silent = { code: 'DISK_SILENT' };

/** A question that the test answers. */
function question() {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { call: () => promise, answer: resolve };
}

test('keeps few questions outstanding, in order', async () => {
  const gate = new DiskGate('/disk');
  let [outstanding, most] = [0, 0];
  const order: number[] = [];
  const ask = (number: number) =>
    gate.run(async () => {
      outstanding += 1;
      most = Math.max(most, outstanding);
      order.push(number);
      await sleep(5);
      outstanding -= 1;
      return number;
    });
  expect(await Promise.all([1, 2, 3, 4, 5].map(ask))).toEqual([1, 2, 3, 4, 5]);
  expect([most, order]).toEqual([2, [1, 2, 3, 4, 5]]);
  expect(gate.silentMs).toBeNull();
});

test('gives up a disk that hangs, refuses what comes after, and asks again once it answers', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const gate = new DiskGate('/disk', 40);
  const [first, second] = [question(), question()];
  const asked = [gate.run(first.call), gate.run(second.call), gate.run(never)];
  const refusals = Promise.all(asked.map((one) => expect(one).rejects.toMatchObject(silent)));
  await vi.advanceTimersByTimeAsync(41);
  await refusals;
  expect(gate.silentMs).toBe(41);
  vi.useRealTimers();
  let begun = false;
  const refused = gate.run(async () => {
    begun = true;
  });
  await expect(refused).rejects.toThrow('the disk at /disk does not answer');
  expect(begun).toBe(false);

  first.answer('late');
  await sleep(0);
  expect(await gate.run(async () => 'now')).toBe('now');
  expect(gate.silentMs).not.toBeNull();
  second.answer('late');
  await sleep(0);
  expect(gate.silentMs).toBeNull();
});

test('serves the others while one question hangs', async () => {
  const gate = new DiskGate('/disk', 20);
  await expect(gate.run(never)).rejects.toMatchObject(silent);
  expect(await Promise.all([1, 2, 3].map((one) => gate.run(async () => one)))).toEqual([1, 2, 3]);
});

test('a question that may take long, such as removing a file, holds up no others on a disk that hangs', async () => {
  const gate = new DiskGate('/disk', 20);
  const removal = gate.run(never, { patienceMs: 600_000 });
  await expect(gate.run(never)).rejects.toMatchObject(silent);
  await expect(gate.run(async () => 'now')).rejects.toMatchObject(silent);
  expect(await Promise.race([removal, sleep(50, 'it still waits')])).toBe('it still waits');
});

test('undoes a late answer, and passes on a late failure to nobody', async () => {
  const gate = new DiskGate('/disk', 20);
  const { call, answer } = question();
  const undone: string[] = [];
  await expect(gate.run(call, { undo: (late) => undone.push(late) })).rejects.toMatchObject(silent);
  answer('file 7');
  await sleep(0);
  expect(undone).toEqual(['file 7']);
  const failure = Promise.withResolvers<never>();
  await expect(gate.run(() => failure.promise)).rejects.toMatchObject(silent);
  failure.reject(new Error('EIO'));
  await sleep(0);
  await expect(gate.run(async () => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
});

test('does what must happen as soon as the disk answers', async () => {
  const gate = new DiskGate('/disk', 20);
  const held = [question(), question()];
  const done: string[] = [];
  for (const asked of held.map(({ call }) => gate.run(call)))
    await expect(asked).rejects.toMatchObject(silent);
  gate.eventually(async () => void done.push('closed'));
  await sleep(40);
  expect(done).toEqual([]);
  held[0]?.answer('late');
  await sleep(0);
  expect(done).toEqual(['closed']);
});
