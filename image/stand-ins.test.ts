import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const here = import.meta.dirname;
let work = '';
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'rushlight-stand-ins-'));
});
afterEach(() => rmSync(work, { recursive: true }));

function run(line: string): string {
  const script = `set -euo pipefail; shopt -s inherit_errexit; IMAGE_DIR=$1; work=$2
    for part in common base board-trees stand-ins; do source "$1/lib/$part.sh"; done; ${line}`;
  return execFileSync('bash', ['-c', script, 'build', here, work], { encoding: 'utf8' });
}

test('packages are newer than those of Debian with the same name, and apt finds them in the list', () => {
  mkdirSync(join(work, 'debs'));
  run(
    'stand_in "$work" arm64 raspi-utils usr/bin/vcgencmd; STAND_IN_DEPENDS="kmod" stand_in "$work" arm64 linux-image-rpi-v8',
  );
  const list = run('package_list "$work/debs"');
  const [kernel, utils] = list.trim().split('\n\n');
  expect(kernel).toMatch(/^Package: linux-image-rpi-v8\nVersion: 99\+standin\nArchitecture: arm64\n/);
  expect(kernel).toMatch(/^Depends: kmod$/m);
  expect(utils).not.toMatch(/^Depends/m);
  expect(utils).toMatch(/^Filename: \.\/raspi-utils\.deb\nSize: \d+\nSHA256: [0-9a-f]{64}$/m);
  expect(
    execFileSync('dpkg-deb', ['--contents', join(work, 'debs/raspi-utils.deb')], { encoding: 'utf8' }),
  ).toMatch(/^-rwxr-xr-x root\/root .* \.\/usr\/bin\/vcgencmd$/m);
});

test('a kernel gets the requested modules and their dependencies, and no others', () => {
  const from = join(work, 'usr/lib/modules/6.12');
  mkdirSync(from, { recursive: true });
  writeFileSync(
    join(from, 'modules.dep'),
    [
      'kernel/drivers/md/dm-verity.ko.xz: kernel/drivers/md/dm-bufio.ko.xz kernel/drivers/md/dm-mod.ko.xz',
      'kernel/fs/fat/vfat.ko.xz: kernel/fs/fat/fat.ko.xz',
      'kernel/fs/fat/fat.ko.xz:',
      'kernel/drivers/net/e1000.ko.xz:',
    ].join('\n'),
  );
  // Named with a hyphen, in the file with either; a built-in one has no file.
  expect(run(`modules_with_needed "${from}" dm_verity vfat built-in`).trim().split('\n')).toEqual([
    'kernel/drivers/md/dm-bufio.ko.xz',
    'kernel/drivers/md/dm-mod.ko.xz',
    'kernel/drivers/md/dm-verity.ko.xz',
    'kernel/fs/fat/fat.ko.xz',
    'kernel/fs/fat/vfat.ko.xz',
  ]);
});

test('copies pi-gen and changes only its package sources and processor', () => {
  const files = {
    'build.sh': 'export ARCH=arm64\nexport RELEASE=trixie\n',
    depends: 'quilt\nqemu-arm:qemu-user-binfmt\nxxd\n',
    'scripts/common': 'BOOTSTRAP_ARGS+=(--arch arm64)\n',
    'stage0/prerun.sh': 'bootstrap trixie x http://deb.debian.org/debian/\n',
    'stage0/00-configure-apt/00-run.sh': '#!/bin/bash -e\napt-get update\n',
    'stage0/00-configure-apt/files/debian.sources':
      'URIs: http://deb.debian.org/debian/\nURIs: http://deb.debian.org/debian-security/\n',
    'stage0/00-configure-apt/files/raspi.sources': 'URIs: http://archive.raspberrypi.com/debian/\n',
    'stage1/prerun.sh': 'copy_previous\n',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(work, 'pi-gen', path, '..'), { recursive: true });
    writeFileSync(join(work, 'pi-gen', path), text);
  }
  run(`stand_in_packages() { echo /packages; }; RUSHLIGHT_MIRROR=http://mirror/debian RUSHLIGHT_SECURITY_MIRROR=http://mirror/security
    mkdir "$work/new"; stand_in_pi_gen "$work/pi-gen" amd64 "$work/new"`);
  const made = (path: string) => readFileSync(join(work, 'new/pi-gen', path), 'utf8');
  expect(made('build.sh')).toBe('export ARCH=amd64\nexport RELEASE=trixie\n');
  expect(made('depends')).toBe('quilt\nxxd\n');
  expect(made('scripts/common')).toBe('BOOTSTRAP_ARGS+=(--arch amd64)\n');
  expect(made('stage0/prerun.sh')).toBe('bootstrap trixie x http://mirror/debian\n');
  expect(made('stage0/00-configure-apt/files/debian.sources')).toBe(
    'URIs: http://mirror/debian\nURIs: http://mirror/security\n',
  );
  expect(made('stage0/00-configure-apt/files/raspi.sources')).toContain('URIs: file:/var/lib/stand-ins\n');
  expect(made('stage0/00-configure-apt/00-run.sh').split('\n').slice(0, 2)).toEqual([
    '#!/bin/bash -e',
    expect.stringMatching(/cp -r '\/packages' /),
  ]);
  expect(made('stage1/prerun.sh')).toBe(files['stage1/prerun.sh']);
});
