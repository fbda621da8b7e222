// `npm test`: every test that needs no virtual machine, from a fresh clone. Words after `--` go to vitest.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureDatapath,
  ensureModules,
  ensurePages,
  ensurePrograms,
  environment,
  node,
  root,
  say,
} from './prepare.mjs';

// Before the packages: one of them is compiled, and is left out where there is no compiler.
ensurePrograms([
  'ffmpeg',
  'font',
  'v4l2',
  'ip',
  'chromium',
  'mosquitto',
  'openssl',
  'git',
  'compiler',
  'make',
  'dtc',
  'mtools',
  'dosfstools',
  'sfdisk',
  'mke2fs',
  'shellcheck',
  'rauc',
  'squashfs',
  'qrencode',
  'faketime',
  'python',
  'avahi',
]);
ensureModules();
ensurePages();
ensureDatapath();

const bin = (...parts) => join(root, 'node_modules', ...parts);
const chosen = process.argv.slice(2);
const vitest = bin('vitest', 'vitest.mjs');
const steps = [
  ['types', [bin('typescript', 'bin', 'tsc'), '-p', '.']],
  ['types of the pages', [bin('typescript', 'bin', 'tsc'), '-p', 'supervisor/web']],
  ['types of the scripts', [bin('typescript', 'bin', 'tsc'), '-p', 'scripts']],
  ['lint', [bin('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.']],
  ['tests', [vitest, 'run', '--project', 'unit']],
  ['end-to-end tests', [vitest, 'run', '--project', 'e2e']],
  ['end-to-end tests that need the machine for themselves', [vitest, 'run', '--project', 'e2e-alone']],
];
const selected = chosen.length === 0 ? steps : [['chosen tests', [vitest, 'run', ...chosen]]];

for (const [name, args] of selected) {
  say(`\n== ${name}`);
  if (!existsSync(args[0])) {
    say(`${args[0]} is missing.`);
    process.exit(1);
  }
  const startedAt = Date.now();
  const { status } = spawnSync(node, args, { cwd: root, env: environment, stdio: 'inherit' });
  say(
    `== ${name}: ${status === 0 ? 'passed' : 'FAILED'} after ${((Date.now() - startedAt) / 1000).toFixed(0)} s`,
  );
  if (status !== 0) process.exit(status ?? 1);
}
