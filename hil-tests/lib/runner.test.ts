import { expect, test } from 'vitest';
import { FakeRig } from '../drivers/fake/fake-rig.fake.ts';
import { RigError } from './errors.ts';
import { runTests } from './runner.ts';
import type { TestCase } from './test-case.ts';

const base = { selection: 'ci', needs: 'off', timeoutMs: 5000 } as const;

test('reports a failure and carries on with the other tests', async () => {
  await using rig = new FakeRig();
  const tests: TestCase[] = [
    { ...base, name: 'fails', run: () => Promise.reject(new RigError('RIG_TOOL', 'broken')) },
    { ...base, name: 'passes', run: async ({ note }) => note('fine') },
    { ...base, name: 'cannot', uses: ['gpio'], run: () => Promise.reject(new Error('never')) },
  ];
  const seen: string[] = [];
  const results = await runTests(rig, tests, {
    seed: 1,
    signal: new AbortController().signal,
    onResult: ({ name }) => void seen.push(name),
  });
  expect(results.map((result) => result.outcome)).toEqual(['failed', 'passed', 'skipped']);
  expect(results[0]?.error).toContain('broken');
  expect(results[1]?.notes).toEqual(['fine']);
  expect(seen).toEqual(['fails', 'passes', 'cannot']);
});

test('stops a hanging test at its time limit', async () => {
  await using rig = new FakeRig();
  const hang: TestCase = { ...base, timeoutMs: 50, name: 'hangs', run: () => new Promise(() => {}) };
  const [result] = await runTests(rig, [hang], {
    seed: 1,
    signal: new AbortController().signal,
    onResult: () => {},
  });
  expect(result?.outcome).toBe('failed');
});

test('the same seed gives the same random choices', async () => {
  const draw = async (): Promise<number[]> => {
    await using rig = new FakeRig();
    const drawn: number[] = [];
    const test: TestCase = {
      ...base,
      name: 'draws',
      run: async ({ random }) => void drawn.push(random(), random()),
    };
    await runTests(rig, [test, test], { seed: 42, signal: new AbortController().signal, onResult: () => {} });
    return drawn;
  };
  const first = await draw();
  expect(await draw()).toEqual(first);
  expect(new Set(first).size).toBe(4);
  expect(first.every((value) => value >= 0 && value < 1)).toBe(true);
});

test('switches the device off, then flashes it once', async () => {
  await using rig = new FakeRig();
  const off: TestCase = { ...base, name: 'off', run: async () => {} };
  await runTests(rig, [off, off], { seed: 1, signal: new AbortController().signal, onResult: () => {} });
  expect(rig.log).toEqual(['off', 'flash', 'write rushlight.toml', 'off']);
});

test('retries a timeout once, but never a wrong answer', async () => {
  await using rig = new FakeRig();
  const late = new RigError('RIG_TIMEOUT', 'too late');
  const runs: string[] = [];
  const failsFirst = (name: string, error: Error, more: Partial<TestCase> = {}): TestCase => ({
    ...base,
    ...more,
    name,
    run: async () => {
      runs.push(name);
      if (runs.filter((one) => one === name).length === 1) throw error;
    },
  });
  const tests = [
    failsFirst('late', late),
    failsFirst('wrong', new Error('wrong')),
    failsFirst('by chance', late, { retry: false }),
    { ...base, name: 'always late', run: () => Promise.reject(late) },
  ];
  const signal = new AbortController().signal;
  const results = await runTests(rig, tests, { seed: 1, signal, onResult: () => {} });
  expect(runs).toEqual(['late', 'late', 'wrong', 'by chance']);
  expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'failed', 'failed', 'failed']);
  expect(results[0]?.firstError).toContain('too late');
  expect(results[3]?.firstError).toContain('too late');
});

test('retries once after an emulator crash', async () => {
  await using rig = new FakeRig();
  let runs = 0;
  const crash: TestCase = {
    ...base,
    name: 'crashes',
    run: async () => {
      runs += 1;
      if (runs > 1) return;
      rig.console.append('[  251.217640] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI\n');
      throw new Error('the device is gone');
    },
  };
  const signal = new AbortController().signal;
  const [result] = await runTests(rig, [crash], { seed: 1, signal, onResult: () => {} });
  expect(result?.outcome).toBe('passed');
  expect(result?.firstError).toContain('the device is gone');
});
