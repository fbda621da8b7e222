import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openRig } from './drivers/open-rig.ts';
import { RigError } from './lib/errors.ts';
import { loadLab } from './lib/lab.ts';
import { junit, type Run, summary, type TestResult, tailOf } from './lib/report.ts';
import { runTests } from './lib/runner.ts';
import { allTests, selectTests } from './tests/index.ts';

const usage = `npm run hil -- [--lab virt-amd64] [--tests ci|all|<part of a name>,…] [--seed N] [--list]
Runs the tests on the lab's device; the report goes to hil-tests/report/<lab>.`;

const { values } = parseArgs({
  options: {
    lab: { type: 'string', default: 'virt-amd64' },
    tests: { type: 'string', default: 'ci' },
    seed: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) return print(usage, 0);
  const tests = selectTests(allTests, values.tests);
  if (tests.length === 0) return print(`No test matches ${values.tests}.`, 2);
  if (values.list)
    return print(tests.map((test) => `${test.selection.padEnd(5)} ${test.name}`).join('\n'), 0);

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(new RigError('RIG_STOPPED', `ended by ${signal}`)));
  }
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  const repository = join(import.meta.dirname, '..');
  const lab = await loadLab(join(import.meta.dirname, 'labs'), repository, values.lab);
  const folder = join(import.meta.dirname, 'report', values.lab);
  await mkdir(folder, { recursive: true });

  await using rig = await openRig(values.lab, lab);
  const startedAt = Date.now();
  // After each test, so that a run that is interrupted leaves its results.
  const report = (results: readonly TestResult[]) =>
    writeFile(join(folder, 'junit.xml'), junit({ lab: values.lab, seed, results }));
  const onResult = async (result: TestResult, sofar: readonly TestResult[]) => {
    tell(result);
    await report(sofar);
  };
  const onNote = (text: string) => void print(`         ${text}`, 0);
  const results = await runTests(rig, tests, { seed, signal: stop.signal, onResult, onNote });
  const run: Run = { lab: values.lab, seed, results };
  await writeFile(join(folder, 'console.log'), rig.console.log);
  await writeFile(join(folder, 'summary.txt'), summary(run));
  print(`\n${((Date.now() - startedAt) / 60_000).toFixed(1)} minutes\n${summary(run)}`, 0);
  return stop.signal.aborted || results.some((result) => result.outcome === 'failed') ? 1 : 0;
}

/** A result as it comes; after a failure, with the device's last output. */
function tell({ outcome, name, seconds, error, firstError, serial }: TestResult): void {
  print(`${outcome.padEnd(8)} ${name} (${seconds.toFixed(0)} s)`, 0);
  if (firstError !== undefined) print(`at the second attempt; the first: ${firstError}`, 0);
  if (error === undefined) return;
  print([error, '--- the end of the console', tailOf(serial), '---'].join('\n'), 0);
}

function print(text: string, code: number): number {
  process.stdout.write(`${text}\n`);
  return code;
}

let code = 2;
try {
  code = await main();
} catch (error) {
  if (!(error instanceof RigError)) throw error;
  process.stderr.write(`${error.message}\n`);
}
// Everything is closed by now; threads of the WebRTC library may stay forever anyway.
process.exit(code);
