// `npm test`: every test that needs no virtual machine, from a fresh clone. Words after `--` go to vitest, except for
//   --debian 13     runs in a Debian 13 root with the image's own packages (needs root), instead of on this system
//   --only PART     one of types, lint, unit, e2e, coverage
//   --all-systems   types, lint and unit tests on this system, then all tests in that root; the default with CI=true
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureDatapath,
  ensureManual,
  ensureModules,
  ensurePages,
  ensurePrograms,
  environment,
  fail,
  node,
  root,
  say,
} from './prepare.mjs';
import { testPrograms } from './programs.mjs';
import { setUp, testPlan, withSetUp } from './test-plan.mjs';
import { openTestRoot, partLimit } from './test-root.mjs';

const plan = testPlan(process.argv.slice(2), process.env.CI === 'true');
if (plan.problem !== null) fail(plan.problem);

ensureModules();

let isSetUp = false;
async function prepareForTests() {
  if (isSetUp) return;
  await ensurePrograms(testPrograms);
  // Again, because npm leaves out a package that it must compile while there is no compiler.
  ensureModules();
  ensureDatapath();
  ensurePages();
  ensureManual();
  isSetUp = true;
}

const bin = (...parts) => join(root, 'node_modules', ...parts);
const vitest = bin('vitest', 'vitest.mjs');
const commands = {
  types: [bin('typescript-native', 'bin', 'tsc'), '-p', '.'],
  'types of the pages': [bin('typescript-native', 'bin', 'tsc'), '-p', 'supervisor/web'],
  'types of the scripts': [bin('typescript-native', 'bin', 'tsc'), '-p', 'scripts'],
  lint: [bin('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.'],
  'import rules': [
    bin('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
    ...['--config', '.dependency-cruiser.mjs', '--'],
    ...['common', 'supervisor', 'media', 'ota', 'hil-tests', 'image/provision', 'release'],
  ],
  'unit tests': [vitest, 'run', '--project', 'unit'],
  'unit tests with coverage': [vitest, 'run', '--project', 'unit', '--coverage'],
  'end-to-end tests': [vitest, 'run', '--project', 'e2e'],
  'end-to-end tests that need the machine for themselves': [vitest, 'run', '--project', 'e2e-alone'],
  'chosen tests': [vitest, 'run', ...plan.chosen],
};

const parts = [];
/** Runs one part, prints how long it took, and returns its outcome: `passed`, `FAILED`, or `left out`. */
function time(name, work) {
  say(`\n== ${name}`);
  const startedAt = Date.now();
  const outcome = work();
  const part = `${name}: ${outcome} after ${((Date.now() - startedAt) / 1000).toFixed(0)} s`;
  say(`== ${part}`);
  parts.push(part);
  return outcome;
}

// Ctrl-C ends the running part, and with it everything; the unpacked root is removed before that.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
const interruptions = [130, 143];
let interrupted = false;

/** Runs parts one after the other, all of them only if every result is wanted. */
async function runAll(names, where, run) {
  let passed = true;
  for (const name of withSetUp(names)) {
    if (name === setUp) {
      await prepareForTests();
      continue;
    }
    const args = commands[name];
    if (!existsSync(args[0])) fail(`${args[0]} is missing.`);
    const work = () => {
      const { status, signal, error } = run(node, args);
      if (error?.code === 'ETIMEDOUT') {
        say(`Ended after ${partLimit.timeout / 60_000} minutes: something did not come to an end.`);
        return 'FAILED';
      }
      interrupted ||= signal !== null || interruptions.includes(status);
      return status === 0 ? 'passed' : 'FAILED';
    };
    if (time(`${name}${where}`, work) !== 'passed') passed = false;
    if (interrupted || (!passed && !plan.keepGoing)) return false;
  }
  return passed;
}

const here = (command, args) =>
  spawnSync(command, args, { cwd: root, env: environment, stdio: 'inherit', ...partLimit });

/** True if all passed; null if there can be no such root. */
async function runInRoot(names) {
  let opened = null;
  time('Debian 13, made or taken from the cache', () => {
    // Device trees of boards, on which the overlays are tested.
    here(join(root, 'image', 'build'), ['trees']);
    opened = openTestRoot();
    return opened === null ? 'left out' : 'passed';
  });
  if (opened === null) return null;
  try {
    return await runAll(names, ' in Debian 13', opened.run);
  } finally {
    opened.dispose();
  }
}

const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(
  existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '',
)?.[1];
let passed = await runAll(plan.here, plan.inRoot.length > 0 ? ` on ${system ?? 'this system'}` : '', here);
if (plan.inRoot.length > 0 && (passed || plan.keepGoing) && !interrupted) {
  const inRoot = await runInRoot(plan.inRoot);
  if (inRoot === null && plan.elsewhere === null) fail('There is no Debian 13 to run the tests in.');
  passed = (inRoot ?? (await runAll(plan.elsewhere, '', here))) && passed;
}
if (parts.length > 1) say(`\n${parts.join('\n')}`);
process.exit(passed ? 0 : 1);
