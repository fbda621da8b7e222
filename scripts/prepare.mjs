// Sets up what a fresh clone lacks. Runs on whatever Node >= 20 the machine has, before anything is installed,
// so it is plain JavaScript and imports nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const node = join(root, 'node_modules', '.bin', 'node');

/**
 * The environment for everything of ours: Node 24 first on the path, and compiled code kept, as on the device. Without it
 * each process strips the types of all its modules anew, and holds what does so in memory.
 */
export const environment = {
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'v8'),
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
};

/** A program that must be there, with the Debian package that carries it. */
const programs = {
  ffmpeg: { package: 'ffmpeg', found: () => onPath('ffmpeg') },
  font: {
    package: 'fonts-dejavu-core',
    found: () => existsSync('/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf'),
  },
  v4l2: { package: 'v4l-utils', found: () => onPath('v4l2-ctl') },
  ip: { package: 'iproute2', found: () => onPath('ip') },
  chromium: { package: 'chromium', found: () => onPath('chromium') },
  mosquitto: { package: 'mosquitto', found: () => onPath('mosquitto') },
  openssl: { package: 'openssl', found: () => onPath('openssl') },
  git: { package: 'git', found: () => onPath('git') },
  compiler: { package: 'g++', found: () => onPath('g++') },
  dtc: { package: 'device-tree-compiler', found: () => onPath('dtc') },
  mtools: { package: 'mtools', found: () => onPath('mcopy') },
  dosfstools: { package: 'dosfstools', found: () => onPath('mkfs.vfat') },
  sfdisk: { package: 'fdisk', found: () => onPath('sfdisk') },
  mke2fs: { package: 'e2fsprogs', found: () => onPath('mke2fs') },
  shellcheck: { package: 'shellcheck', found: () => onPath('shellcheck') },
  rauc: { package: 'rauc', found: () => onPath('rauc') },
  squashfs: { package: 'squashfs-tools', found: () => onPath('mksquashfs') },
  qrencode: { package: 'qrencode', found: () => onPath('qrencode') },
  faketime: { package: 'faketime', found: () => onPath('faketime') },
  avahi: { package: 'avahi-daemon', found: () => onPath('avahi-daemon') },
  python: { package: 'python3', found: () => onPath('python3') },
  make: { package: 'make', found: () => onPath('make') },
  mmdebstrap: { package: 'mmdebstrap', found: () => onPath('mmdebstrap') },
  ssh: { package: 'openssh-client', found: () => onPath('ssh') && onPath('ssh-keygen') },
  qemuAmd64: { package: 'qemu-system-x86', found: () => onPath('qemu-system-x86_64') },
  qemuArm64: { package: 'qemu-system-arm', found: () => onPath('qemu-system-aarch64') },
};

/** Installs node_modules as the lock file says, unless that has been done for this very lock file. */
export function ensureModules() {
  const stamp = join(root, 'node_modules', '.rushlight-lock');
  // Once there is a compiler, what was left out without one is installed.
  const native = programs.compiler.found() && programs.make.found() ? ' native' : '';
  const wanted = `${digest([join(root, 'package-lock.json')])}${native}`;
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Installing the packages of package-lock.json …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm could not install the packages.');
  writeFileSync(stamp, wanted);
}

/** Installs missing programs through apt as root; as anybody else, prints the one line to run, and ends. */
export function ensurePrograms(names, { optional = [] } = {}) {
  const missing = names.filter((name) => !programs[name].found());
  const missingOptional = optional.filter((name) => !programs[name].found());
  if (missing.length + missingOptional.length === 0) return;
  const wanted = [...missing, ...missingOptional].map((name) => programs[name].package);
  const install = `apt-get install -y --no-install-recommends ${wanted.join(' ')}`;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    if (missing.length === 0) return say(`Some things stay off until you run: sudo ${install}`);
    fail(
      `These programs are missing: ${wanted.join(', ')}. Run this once, then start again:\n\n  sudo ${install}\n`,
    );
  }
  say(`Installing ${wanted.join(', ')} …`);
  const env = { ...environment, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env };
  spawnSync('apt-get', ['update', '-q'], quiet);
  spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...wanted], quiet);
  const still = missing.filter((name) => !programs[name].found());
  if (still.length > 0)
    fail(`apt-get could not install: ${still.map((name) => programs[name].package).join(', ')}.`);
}

/** Builds the web pages where their sources changed since the last build. */
export function ensurePages() {
  const sources = [
    ...filesBelow(join(root, 'supervisor', 'web'), ['dist', 'node_modules']),
    ...filesBelow(join(root, 'supervisor', 'api'), ['routes', 'middleware', 'access', 'gateway']),
    join(root, 'package-lock.json'),
  ];
  const out = join(root, 'supervisor', 'web', 'dist');
  const stamp = join(out, '.sources');
  const wanted = digest(sources);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Building the pages …');
  run(
    node,
    [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn', 'supervisor/web'],
    'The pages could not be built.',
  );
  mkdirSync(out, { recursive: true });
  writeFileSync(stamp, wanted);
}

/**
 * onoff's native part belongs to one Node version. npm may have built it for the machine's own Node, so it is built
 * again for Node 24 where there are GPIO lines to use and a compiler to build with. Without it GPIO stays off.
 */
export function ensureGpio() {
  if (!existsSync('/sys/class/gpio') || !hasGpioChip() || !onPath('g++') || !onPath('make')) return;
  const stamp = join(root, 'node_modules', 'epoll', '.rushlight-built');
  const wanted = digest([join(root, 'package-lock.json')]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Building the GPIO support for Node 24 …');
  const headers = join(root, 'build', 'node-headers');
  const target = `node-linux-${process.arch}@${nodeVersion()}`;
  const steps = [
    ['npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', headers, target]],
    ['npm', ['rebuild', 'epoll', `--nodedir=${join(headers, 'node_modules', `node-linux-${process.arch}`)}`]],
  ];
  for (const [program, args] of steps) {
    const { status } = spawnSync(program, args, {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0)
      return say('GPIO support could not be built; the jumper and the record button stay off.');
  }
  writeFileSync(stamp, wanted);
}

/**
 * The native datapath is compiled where there is a compiler, against the headers that come with Node 24's npm package.
 * Without it the media process works in JavaScript, and says so in its log.
 */
export function ensureDatapath() {
  const folder = join(root, 'media', 'datapath', 'native');
  const built = join(folder, 'build', 'datapath.node');
  const stamp = join(folder, 'build', '.sources');
  const headers = nodeHeaders();
  if (!onPath('g++') || headers === null) return;
  const wanted = `${digest(filesBelow(folder, ['build', 'tests']))} ${process.arch} ${nodeVersion()}`;
  if (existsSync(built) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Compiling the native datapath …');
  const { status } = spawnSync(join(folder, 'build.sh'), [headers, built], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0)
    return say('The native datapath could not be compiled; viewers cost more of the processor without it.');
  writeFileSync(stamp, wanted);
}

export function say(text) {
  process.stdout.write(`${text}\n`);
}

export function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

function run(program, args, complaint) {
  const { status, error } = spawnSync(program, args, { cwd: root, env: environment, stdio: 'inherit' });
  if (error !== undefined) fail(`${complaint} (${error.message})`);
  if (status !== 0) fail(complaint);
}

/** Of the Node that runs the product; npm may run on another one. */
function nodeVersion() {
  return spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim();
}

/** The folder with node_api.h and OpenSSL's headers; null where this machine's package has none. */
function nodeHeaders() {
  const name = `node-linux-${process.arch}`;
  const found = [join(root, 'node_modules', 'node', 'node_modules', name), join(root, 'node_modules', name)]
    .map((folder) => join(folder, 'include', 'node'))
    .find((folder) => existsSync(join(folder, 'node_api.h')));
  return found ?? null;
}

function hasGpioChip() {
  try {
    return readdirSync('/sys/class/gpio').some((name) => name.startsWith('gpiochip'));
  } catch {
    return false; // unreadable is as good as none here
  }
}

function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}

function filesBelow(folder, without) {
  return readdirSync(folder)
    .filter((name) => !without.includes(name) && !name.includes('.test.'))
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? filesBelow(path, without) : [path];
    });
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}
