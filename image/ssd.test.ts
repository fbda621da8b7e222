import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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
    blkid: `file="${root}/$(basename "$6")"; [ ! -e "$file.status" ] || exit "$(cat "$file.status")"; cat "$file.kind"`,
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
    env: {
      PATH: `${join(root, 'bin')}:${process.env.PATH}`,
      RUSHLIGHT_MEDIA: '/media',
      RUSHLIGHT_NOTES: join(root, 'notes'),
    },
    stdio: 'pipe',
  }).toString();
const plug = (device: string, kind: string | number) => {
  writeFileSync(join(root, `${device}.${typeof kind === 'number' ? 'status' : 'kind'}`), `${kind}\n`);
  return run('mount', device);
};
const notes = () => {
  const folder = join(root, 'notes');
  return existsSync(folder)
    ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    : [];
};
const mounts = () => readFileSync(join(root, 'mounts'), 'utf8').trim().split('\n');

test('uses the first disk for masters and mounts others read-only', () => {
  plug('sda1', 'ext4');
  plug('sdb1', 'exfat');
  expect(mounts()).toEqual([
    '/dev/sda1 /media/ssd ext4 noatime,nodev,nosuid,errors=remount-ro',
    '/dev/sdb1 /media/stick exfat ro,noatime,nodev,nosuid,noexec,uid=900,gid=900,umask=0027',
  ]);
  expect(plug('sdc1', 'vfat')).toMatch(/left alone/);
});

test('never uses a FAT stick as the disk for masters', () => {
  plug('sda1', 'vfat');
  plug('sdb1', 'exfat');
  expect(mounts().map((line) => line.split(' ').slice(0, 3))).toEqual([
    ['/dev/sda1', '/media/stick', 'vfat'],
    ['/dev/sdb1', '/media/ssd', 'exfat'],
  ]);
});

test('releases each disk separately', () => {
  plug('sda1', 'ext4');
  plug('sdb1', 'vfat');
  run('release', 'sdb1');
  expect(mounts()).toHaveLength(1);
  run('release', 'sda1');
  expect(mounts()).toEqual(['']);
});

test('an unreadable stick causes no failure', () => {
  writeFileSync(join(root, 'broken'), '');
  expect(plug('sda1', 'vfat')).toMatch(/cannot be read/);
});

test.each([
  ['ntfs', 'holds ntfs; masters need ext4 or exFAT'],
  ['btrfs', 'holds btrfs; masters need ext4 or exFAT'],
  ['crypto_LUKS', 'is encrypted (crypto_LUKS); masters need ext4 or exFAT'],
  ['LVM2_member', 'holds no file system, but LVM2_member; masters need ext4 or exFAT'],
  [2, 'has no file system; masters need ext4 or exFAT'],
  [
    8,
    'bears the marks of more than one file system; masters need ext4 or exFAT, on a disk that was wiped before',
  ],
])('does not use a disk with %s, and the page can say why', (kind, reason) => {
  expect(plug('sda1', kind)).toBe(`/dev/sda1 is not used: it ${reason}\n`);
  expect(notes()).toEqual([`sda1 ${reason}\n`]);
  expect(readFileSync(join(root, 'mounts'), 'utf8')).toBe('');
  // It does not get in the way of a usable one.
  plug('sdb1', 'ext4');
  expect(mounts()[0]).toMatch(/^\/dev\/sdb1 \/media\/ssd /);
  run('release', 'sda1');
  expect(notes()).toEqual([]);
});

test('reports a disk that cannot be mounted without failing', () => {
  writeFileSync(join(root, 'broken'), '');
  expect(plug('sda1', 'ext4')).toMatch(/is not used: it cannot be mounted \(ext4\)/);
  expect(notes()).toHaveLength(1);
  rmSync(join(root, 'broken'));
  plug('sda1', 'ext4');
  expect(notes()).toEqual([]);
});

/** The rule for disks, played: which of these devices start the unit. Understands what the rule uses of udev(7), no more. */
function isStarted(device: Record<string, string>): boolean {
  const text = readFileSync(
    join(import.meta.dirname, '../overlays/rootfs/etc/udev/rules.d/60-rushlight.rules'),
    'utf8',
  );
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const glob = (pattern: string) =>
    new RegExp(`^(?:${pattern.replaceAll('?', '.').replaceAll('*', '.*').replaceAll('-', '\\-')})$`);
  let jump: string | undefined;
  for (const line of lines) {
    const terms = [...line.matchAll(/([A-Z]+)(?:\{([^}]*)\})?(==|!=|\+=|=)"([^"]*)"/g)];
    if (jump !== undefined && !terms.some(([, key, , , value]) => key === 'LABEL' && value === jump))
      continue;
    jump = undefined;
    const fits = terms
      .filter(([, , , operator]) => operator === '==' || operator === '!=')
      .every(([, key, name, operator, value]) => {
        const is = glob(value ?? '').test(device[name ?? key ?? ''] ?? '');
        return operator === '==' ? is : !is;
      });
    if (!fits) continue;
    if (line.includes('rushlight-ssd@%k.service')) return true;
    jump = terms.find(([, key]) => key === 'GOTO')?.[4];
  }
  return false;
}

test('chooses which disks to look at', () => {
  const partition = { SUBSYSTEM: 'block', ACTION: 'add', KERNEL: 'sda1', DEVTYPE: 'partition', size: '9' };
  const disk = { ...partition, KERNEL: 'sda', DEVTYPE: 'disk' };
  const filesystem = { ID_FS_USAGE: 'filesystem' };
  for (const looked of [
    { ...partition, ...filesystem, ID_FS_TYPE: 'ext4' },
    { ...partition, ...filesystem, ID_FS_TYPE: 'ntfs' },
    { ...disk, ...filesystem, ID_FS_TYPE: 'xfs' },
    { ...partition, ID_FS_USAGE: 'crypto', ID_FS_TYPE: 'crypto_LUKS' },
    { ...partition, ID_FS_AMBIVALENT: 'other:iso9660 filesystem:xfs' },
    { ...disk },
  ])
    expect(isStarted(looked), JSON.stringify(looked)).toBe(true);
  for (const left of [
    { ...partition, ...filesystem, ID_PART_ENTRY_UUID: '52534c54-07' },
    { ...disk, ID_PART_TABLE_TYPE: 'dos', ID_PART_TABLE_UUID: '52534c54' },
    { ...disk, ID_PART_TABLE_TYPE: 'gpt' },
    { ...disk, size: '0' },
    { ...partition },
    { ...partition, ...filesystem, ACTION: 'remove' },
    { ...disk, ...filesystem, KERNEL: 'loop0' },
    { ...disk, KERNEL: 'mmcblk0boot0' },
  ])
    expect(isStarted(left), JSON.stringify(left)).toBe(false);
});
