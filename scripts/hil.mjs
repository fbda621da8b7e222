// `npm run hil`: builds the virtual image unless it is up to date, and runs the rig on it, from a fresh clone. Words after `--`
// go to the rig (hil-tests/main.ts): --lab NAME, --tests SELECTION, --seed N, --list.
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { ensureModules, ensurePages, ensurePrograms, environment, fail, node, root } from './prepare.mjs';

const args = process.argv.slice(2);
const optionOf = (option) => {
  const index = args.indexOf(option);
  return index < 0
    ? args.find((one) => one.startsWith(`${option}=`))?.slice(option.length + 1)
    : args[index + 1];
};
const lab = optionOf('--lab') ?? 'virt-amd64';
const arch = /^virt-(amd64|arm64)(?:-|$)/.exec(lab)?.[1];

// What the rig runs on any lab; what boots a virtual one; what image/build runs (it checks again, as root).
const rigPrograms = ['mtools', 'sfdisk', 'mke2fs', 'ssh', 'openssl'];
const machinePrograms = { amd64: ['qemuAmd64'], arm64: ['qemuArm64'] };
const buildPrograms = ['mmdebstrap', 'squashfs', 'dosfstools', 'make', 'compiler', 'python', 'dtc', 'git'];

const onlyTells = args.includes('--list') || args.includes('--help');
if (!onlyTells) {
  await ensurePrograms([
    ...rigPrograms,
    ...(arch === undefined ? [] : [...machinePrograms[arch], ...buildPrograms]),
  ]);
}
ensureModules();
if (!onlyTells) {
  ensurePages();
  if (arch !== undefined) {
    const build = [join(root, 'image', 'build'), 'virt', '--arch', arch];
    const asRoot =
      process.getuid?.() === 0 ? build : ['sudo', '--preserve-env=RUSHLIGHT_CACHE,RUSHLIGHT_OUT', ...build];
    const { status } = spawnSync(asRoot[0], asRoot.slice(1), {
      cwd: root,
      env: process.env,
      stdio: 'inherit',
    });
    if (status !== 0) fail('The image could not be built.');
  }
}
const env = { ...environment, PATH: `${environment.PATH}${delimiter}/usr/sbin${delimiter}/sbin` };
const rig = spawnSync(node, [join(root, 'hil-tests', 'main.ts'), ...args], {
  cwd: root,
  env,
  stdio: 'inherit',
});
process.exit(rig.status ?? 1);
