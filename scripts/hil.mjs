// `npm run hil`: builds the virtual image where it is not up to date, and runs the rig on it, from a fresh clone.
// Words after `--` go to the rig (hil-tests/main.ts): --lab NAME, --tests SELECTION, --seed N, --list.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ensureModules, ensurePages, environment, fail, node, root, say } from './prepare.mjs';

const args = process.argv.slice(2);
const optionOf = (option) => {
  const index = args.indexOf(option);
  return index < 0
    ? args.find((one) => one.startsWith(`${option}=`))?.slice(option.length + 1)
    : args[index + 1];
};
const lab = optionOf('--lab') ?? 'virt-amd64';
const arch = /^virt-(amd64|arm64)(?:-|$)/.exec(lab)?.[1];

const packages = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-system-aarch64': 'qemu-system-arm',
  mcopy: 'mtools',
  sfdisk: 'fdisk',
  mke2fs: 'e2fsprogs',
  ssh: 'openssh-client',
};

/** Installs what the rig runs, or prints the one line to run. */
function ensureRigTools() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = (name) => folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
  const qemu = { amd64: ['qemu-system-x86_64'], arm64: ['qemu-system-aarch64'] }[arch] ?? [];
  const missing = ['mcopy', 'sfdisk', 'mke2fs', 'ssh', ...qemu].filter((name) => !found(name));
  if (missing.length === 0) return;
  const install = [
    'install',
    '-y',
    '-q',
    '--no-install-recommends',
    ...missing.map((name) => packages[name]),
  ];
  if (process.getuid?.() !== 0) fail(`Run this once, then again:\n\n  sudo apt-get ${install.join(' ')}\n`);
  say(`Installing ${missing.map((name) => packages[name]).join(', ')} …`);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...environment, DEBIAN_FRONTEND: 'noninteractive' },
  };
  spawnSync('apt-get', ['update', '-q'], options);
  spawnSync('apt-get', install, options);
  const still = missing.filter((name) => !found(name));
  if (still.length > 0) fail(`apt-get could not install what has ${still.join(', ')}.`);
}

ensureModules();
if (!args.includes('--list') && !args.includes('--help')) {
  ensureRigTools();
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
