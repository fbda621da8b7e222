// `npm run release`: everything that people install, in dist/. `npm run release:test`: installs it on clean machines, as root.
// Words after `--` go to release/main.ts, or to release/test/main.ts.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { installPackages } from './apt.mjs';
import { ensureModules, ensurePages, environment, fail, node, root, say } from './prepare.mjs';
import { onPath } from './programs.mjs';

/** Programs that a release needs, and their Debian packages; release/pack checks for those that it runs itself. */
const programs = {
  minisign: 'minisign',
  bmaptool: 'bmap-tools',
  'dpkg-deb': 'dpkg',
  git: 'git',
  xz: 'xz-utils',
};
const testPrograms = {
  mmdebstrap: 'mmdebstrap',
  'systemd-nspawn': 'systemd-container',
  umoci: 'umoci',
  crun: 'crun',
  minisign: 'minisign',
  bmaptool: 'bmap-tools',
  openssl: 'openssl',
  reprepro: 'reprepro',
  lintian: 'lintian',
  mcopy: 'mtools',
  'qemu-system-x86_64': 'qemu-system-x86',
  ssh: 'openssh-client',
  curl: 'curl',
};

const [first, ...rest] = process.argv.slice(2);
const tests = first === 'test';
const missing = Object.entries(tests ? testPrograms : programs)
  .filter(([program]) => !onPath(program))
  .map(([, debian]) => debian);
if (missing.length > 0) {
  if (process.getuid?.() !== 0) {
    fail(
      `Some programs are missing. Run: sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`,
    );
  }
  say(`Installing ${missing.join(', ')} …`);
  await installPackages(missing, { ...environment, DEBIAN_FRONTEND: 'noninteractive' }, say);
}
ensureModules();
ensurePages();
const main = tests ? ['test', 'main.ts'] : ['main.ts'];
const { status } = spawnSync(
  node,
  [join(root, 'release', ...main), ...(tests ? rest : process.argv.slice(2))],
  {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
