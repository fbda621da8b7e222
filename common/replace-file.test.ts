import { expect, test } from 'vitest';
import { type ReplacingCalls, replaceFile } from './replace-file.ts';

/** Calls that only say what was done; some of them fail. */
function calls(failing: Readonly<Record<string, string>> = {}) {
  const done: string[] = [];
  const call = async (name: string) => {
    done.push(name);
    if (name in failing) throw Object.assign(new Error(name), { code: failing[name] });
  };
  const fake: ReplacingCalls = {
    async open() {
      await call('open');
      return {
        chmod: () => call('chmod'),
        writeFile: () => call('write'),
        sync: () => call('sync'),
        [Symbol.asyncDispose]: () => call('close'),
      };
    },
    rename: () => call('rename'),
    removeFile: () => call('remove'),
    syncFolder: () => call('sync folder'),
  };
  return { done, fake };
}

const durable = { mode: 0o644, durable: true };

test('replaces a file on a disk without permissions, such as FAT', async () => {
  const { done, fake } = calls({ chmod: 'EPERM' });
  await replaceFile(fake, '/media/ssd/take.json', 'x', durable);
  expect(done).toEqual(['open', 'chmod', 'write', 'sync', 'rename', 'close', 'sync folder']);
});

test('removes what is unfinished, and rejects with what failed', async () => {
  for (const [name, before] of [
    ['chmod', []],
    ['write', ['chmod']],
    ['sync', ['chmod', 'write']],
    ['rename', ['chmod', 'write', 'sync']],
  ] as const) {
    const { done, fake } = calls({ [name]: 'EIO' });
    await expect(replaceFile(fake, '/data/a', 'x', durable)).rejects.toMatchObject({ code: 'EIO' });
    expect(done).toEqual(['open', ...before, name, 'close', 'remove']);
  }
});

test('keeps the first error if the rest cannot be removed either', async () => {
  const { fake } = calls({ write: 'EIO', remove: 'EROFS' });
  await expect(replaceFile(fake, '/data/a', 'x', durable)).rejects.toMatchObject({
    error: { code: 'EROFS' },
    suppressed: { code: 'EIO' },
  });
});

test('syncs nothing that need not outlive a power cut', async () => {
  const { done, fake } = calls();
  await replaceFile(fake, '/run/a', 'x', { mode: 0o600, durable: false });
  expect(done).toEqual(['open', 'chmod', 'write', 'rename', 'close']);
});
