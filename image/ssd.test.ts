import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = join(import.meta.dirname, '../overlays/rootfs/usr/libexec/rushlight/ssd');
let root: string;

/** What mounts is played: a table of mount points, and the kind of file system of each device. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rushlight-ssd-'));
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'mounts'), '');
  const programs = {
    mountpoint: `grep -q " $2 " ${root}/mounts`,
    blkid: `cat "${root}/$(basename "$5").kind"`,
    mount: `[ ! -e ${root}/broken ] || exit 32; echo "$5 $6 $2 $4" >> ${root}/mounts`,
    findmnt: `sed -n "s|^\\([^ ]*\\) $4 .*|\\1|p" ${root}/mounts`,
    umount: `sed -i "\\| $2 |d" ${root}/mounts`,
    e2fsck: ':',
    chown: ':',
  };
  for (const [name, does] of Object.entries(programs)) {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${does}\n`);
    chmodSync(join(root, 'bin', name), 0o755);
  }
});
afterEach(() => rmSync(root, { recursive: true }));

const run = (verb: 'mount' | 'release', device: string) =>
  execFileSync(script, [verb, device], {
    env: { PATH: `${join(root, 'bin')}:${process.env.PATH}`, RUSHLIGHT_MEDIA: '/media' },
    stdio: 'pipe',
  }).toString();
const plug = (device: string, kind: string) => {
  writeFileSync(join(root, `${device}.kind`), `${kind}\n`);
  return run('mount', device);
};
const mounts = () => readFileSync(join(root, 'mounts'), 'utf8').trim().split('\n');

test('the first disk is for the masters, a further one can only be read', () => {
  plug('sda1', 'ext4');
  plug('sdb1', 'exfat');
  expect(mounts()).toEqual([
    '/dev/sda1 /media/ssd ext4 noatime,nodev,nosuid,errors=remount-ro',
    '/dev/sdb1 /media/stick exfat ro,noatime,nodev,nosuid,noexec,uid=900,gid=900,umask=0027',
  ]);
  expect(plug('sdc1', 'vfat')).toMatch(/left alone/);
});

test('a stick with FAT is never taken for the disk of the masters', () => {
  plug('sda1', 'vfat');
  plug('sdb1', 'exfat');
  expect(mounts().map((line) => line.split(' ').slice(0, 3))).toEqual([
    ['/dev/sda1', '/media/stick', 'vfat'],
    ['/dev/sdb1', '/media/ssd', 'exfat'],
  ]);
});

test('each is let go of by itself', () => {
  plug('sda1', 'ext4');
  plug('sdb1', 'vfat');
  run('release', 'sdb1');
  expect(mounts()).toHaveLength(1);
  run('release', 'sda1');
  expect(mounts()).toEqual(['']);
});

test('a stick that cannot be read fails nothing', () => {
  writeFileSync(join(root, 'broken'), '');
  expect(plug('sda1', 'vfat')).toMatch(/cannot be read/);
});
