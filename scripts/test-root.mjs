// A Debian 13 root to run tests in: the image's packages in the image's versions. Plain JavaScript, see prepare.mjs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { environment, root, say } from './prepare.mjs';
import { onPath, packagesOf, testPrograms } from './programs.mjs';

/** How long one part of the tests may take, as options of `spawnSync`: several times what it takes on two cores. */
export const partLimit = { timeout: 25 * 60_000, killSignal: 'SIGKILL' };

const build = join(root, 'image', 'build');
const enter = join(root, 'image', 'enter-root');

/** Why no root can be made or entered here, in a few words; null if it can. */
function obstacle() {
  if (process.platform !== 'linux' || !onPath('dpkg')) return 'this is not Debian';
  if (process.getuid?.() !== 0) return 'this needs root';
  const { status } = spawnSync('unshare', [
    '--mount',
    '--pid',
    '--fork',
    'mount',
    '-t',
    'tmpfs',
    'none',
    '/mnt',
  ]);
  return status === 0 ? null : 'this machine does not let anything be mounted';
}

/**
 * Makes the root, unless it is cached, and unpacks it. Null with a message if this machine cannot do that. The result runs
 * commands in it, in the folder of the sources; dispose of it.
 */
export function openTestRoot() {
  const hindrance = obstacle();
  if (hindrance !== null) return unavailable(hindrance);
  const made = spawnSync(build, ['test-root', ...packagesOf(testPrograms)], {
    cwd: root,
    env: process.env,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  const tar = made.stdout.trim();
  if (made.status !== 0 || !existsSync(tar)) return unavailable('it could not be made');
  const folder = mkdtempSync('/var/tmp/rushlight-test-root-');
  const dispose = () => rmSync(folder, { recursive: true, force: true });
  const unpacked = spawnSync('tar', ['--extract', '--numeric-owner', '--file', tar, '--directory', folder]);
  if (unpacked.status !== 0) {
    dispose();
    return unavailable('it could not be unpacked');
  }
  return { run: (command, args) => spawnIn(folder, command, args), dispose };
}

function unavailable(why) {
  say(`The tests run on this machine's own system alone, not in Debian 13 as on the image: ${why}.`);
  return null;
}

function spawnIn(folder, command, args) {
  // A worktree's history is in another folder.
  const git = spawnSync('git', ['rev-parse', '--git-common-dir'], { cwd: root, encoding: 'utf8' });
  const shared = [root, ...(git.status === 0 ? [resolve(root, git.stdout.trim())] : [])];
  const { TMPDIR: _, ...rest } = environment;
  const env = {
    ...rest,
    HOME: '/root',
    LANG: 'C.UTF-8',
    PATH: `${join(root, 'node_modules', '.bin')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  };
  const shares = shared.flatMap((one) => ['--share', one]);
  const argv = [folder, ...shares, '--', command, ...args];
  return spawnSync(enter, argv, { cwd: root, env, stdio: 'inherit', ...partLimit });
}
