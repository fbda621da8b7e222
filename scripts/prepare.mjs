// Sets up what a fresh clone lacks. Runs on the machine's own Node >= 18, before anything is installed,
// so it is plain JavaScript and imports nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installCommand, installPackages } from './apt.mjs';
import { installsPackages, npmNodeMajor, versionProblem } from './node-version.mjs';
import { onPath, packagesOf, programs } from './programs.mjs';

/** The repository's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Node 24 from the packages. */
export const node = join(root, 'node_modules', '.bin', 'node');
const npmForPackages = 'npm@11.19.1';

/**
 * The environment for all our programs: Node 24 first on the path, and a compile cache, as on the device. Without the
 * cache each process strips the types of all its modules again, and keeps the stripper in memory.
 */
export const environment = {
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'v8'),
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
};

const npmNode = npmNodeMajor(process.env, process, join(root, 'node_modules'));
const problem = versionProblem(process.version, npmNode);
if (problem !== null) fail(problem);

/**
 * Installs node_modules from the lock file, unless the same Node.js already did so for the same lock file: another version
 * may leave out or build different packages.
 */
export function ensureModules() {
  const stamp = join(root, 'node_modules', '.rushlight-lock');
  // Once there is a compiler, packages that were left out without one are installed.
  const native = programs.compiler.found() && programs.make.found() ? ' native' : '';
  const before = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  const by = npmNode ?? / node (\d+)/.exec(before)?.[1] ?? process.versions.node.split('.')[0];
  const wanted = `${digest([join(root, 'package-lock.json')])}${native} node ${by} ${process.arch}`;
  if (existsSync(node) && before === wanted) return;
  const how = installsPackages(npmNode) ? { PATH: ownPath() } : newerNpm();
  say('Installing the packages of package-lock.json …');
  run('npm', ['ci', ...quietly], 'npm could not install the packages.', how);
  writeFileSync(stamp, wanted);
}

const quietly = ['--no-audit', '--no-fund', '--loglevel=error'];

/** The path to the machine's own Node.js: the one among the packages is replaced while they are installed. */
function ownPath() {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(join(root, 'node_modules')))
    .join(delimiter);
}

/**
 * Fetches an npm with the Node.js of the lock file, beside the packages. Returns the environment in which they come first, and in
 * which the compiler finds the headers that came along.
 */
function newerNpm() {
  const folder = join(root, 'build', 'npm');
  const { version } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[
    'node_modules/node'
  ];
  say(`Fetching Node.js ${version} and its npm: the packages need a newer one than this machine has …`);
  mkdirSync(folder, { recursive: true });
  const packages = [`node@${version}`, npmForPackages];
  run(
    'npm',
    ['install', '--no-save', '--prefix', folder, ...quietly, ...packages],
    'npm could not fetch Node.js.',
    { PATH: ownPath() },
  );
  return {
    PATH: `${join(folder, 'node_modules', '.bin')}${delimiter}${ownPath()}`,
    npm_config_nodedir: join(folder, 'node_modules', 'node', 'node_modules', `node-linux-${process.arch}`),
  };
}

/** Installs missing programs through apt as root; for any other user, prints the command to run, and exits. */
export async function ensurePrograms(names, { optional = [] } = {}) {
  const missing = names.filter((name) => !programs[name].found());
  const missingOptional = optional.filter((name) => !programs[name].found());
  if (missing.length + missingOptional.length === 0) return;
  const wanted = packagesOf([...missing, ...missingOptional]);
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    const install = installCommand(wanted);
    if (missing.length === 0) return say(`Some things stay off until you run: ${install}`);
    fail(
      `These programs are missing: ${packagesOf(missing).join(', ')}. Run this once, then start again:\n\n  ${install}\n`,
    );
  }
  say(`Installing ${wanted.join(', ')} …`);
  await installPackages(wanted, { ...environment, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, say);
  const still = missing.filter((name) => !programs[name].found());
  if (still.length > 0) fail(`apt-get could not install: ${packagesOf(still).join(', ')}.`);
}

/** Builds the web pages if their sources changed since the last build. */
export function ensurePages() {
  const sources = [
    ...filesBelow(join(root, 'supervisor', 'web'), ['dist', 'node_modules']),
    ...filesBelow(join(root, 'supervisor', 'api'), ['routes', 'middleware', 'access', 'gateway']),
    ...filesBelow(join(root, 'supervisor', 'contract'), []),
    ...filesBelow(join(root, 'common'), []),
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

/** Runs the builder of the manual, in `scripts/docs`. Returns whether it was built. */
export function runManual(args) {
  const { status } = spawnSync(node, [join(root, 'scripts', 'docs', 'main.ts'), ...args], {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  });
  return status === 0;
}

/**
 * Builds the manual, which the appliance serves at /docs/ beside its pages, if its sources changed since the last build.
 * Only deployments that serve it need it.
 */
export function ensureManual({ needed = true } = {}) {
  const sources = [
    ...filesBelow(join(root, 'docs'), []),
    ...filesBelow(join(root, 'setups'), []),
    ...filesBelow(join(root, 'scripts', 'docs'), []),
    ...readdirSync(root)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(root, name)),
    join(root, 'media', 'datapath', 'native', 'README.md'),
    join(root, 'package.json'),
    join(root, 'package-lock.json'),
  ];
  const out = join(root, 'supervisor', 'web', 'dist', 'docs');
  const stamp = join(out, '.sources');
  const wanted = digest(sources);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Building the manual …');
  // Complete or not at all: an appliance may be serving the previous one, and another build may be under way.
  const fresh = `${out}.${process.pid}`;
  if (runManual(['--out', fresh])) {
    writeFileSync(join(fresh, '.sources'), wanted);
    rmSync(out, { recursive: true, force: true });
    renameSync(fresh, out);
    return;
  }
  rmSync(fresh, { recursive: true, force: true });
  if (needed) fail('The manual could not be built.');
  say('The manual could not be built; the appliance runs without it.');
}

/**
 * onoff's native part belongs to one Node version. npm may have built it for the machine's own Node, so it is built again for
 * Node 24 if there are GPIO lines to use and a compiler to build with. Without it GPIO stays off.
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
 * Compiles the native datapath if there is a compiler, against the headers in Node 24's npm package. Without it the media
 * process works in JavaScript, and says so in its log.
 */
export function ensureDatapath() {
  const folder = join(root, 'media', 'datapath', 'native');
  const built = join(folder, 'build', 'datapath.node');
  const stamp = join(folder, 'build', '.sources');
  const headers = nodeHeaders();
  if (!onPath('g++') || headers === null) return;
  const wanted = `${digest([...filesBelow(join(folder, 'src'), []), join(folder, 'build.sh')])} ${process.arch} ${nodeVersion()}`;
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

/** Prints a line. */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** Prints an error and ends the process. */
export function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

function run(program, args, complaint, env = {}) {
  const options = { cwd: root, env: { ...environment, ...env }, stdio: 'inherit' };
  const { status, error } = spawnSync(program, args, options);
  if (error !== undefined) fail(`${complaint} (${error.message})`);
  if (status !== 0) fail(complaint);
}

/** Version of the Node that runs the product; npm may run on another one. */
function nodeVersion() {
  return spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim();
}

/** The folder with node_api.h and OpenSSL's headers; null if this machine's package has none. */
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
