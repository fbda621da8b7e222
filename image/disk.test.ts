import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootFilesOf, chooseBoot } from '../hil-tests/drivers/firmware/boot-files.ts';
import { FatFiles, partitionsOf } from '../hil-tests/drivers/firmware/disk-image.ts';

const root = join(import.meta.dirname, '..');
let work = '';

/** The boards' export, as pi-gen runs it, on a root that is small but has what it looks at. */
function runExport(out: string): void {
  const tree = join(work, 'rootfs');
  const env = {
    ...process.env,
    RUSHLIGHT_SOURCE: root,
    ROOTFS_DIR: tree,
    STAGE_WORK_DIR: join(work, 'stage'),
    DEPLOY_DIR: join(work, out),
    IMG_FILENAME: 'test',
    SOURCE_DATE_EPOCH: '1700000000',
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
  };
  const script = join(root, 'pi-gen-config/export-rushlight/01-disk/00-run.sh');
  const { status, stderr } = spawnSync(script, [], { encoding: 'utf8', env, cwd: join(script, '..') });
  expect(status, stderr).toBe(0);
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'rushlight-disk-'));
  const put = (path: string, text: string): void => {
    mkdirSync(join(work, 'rootfs', path, '..'), { recursive: true });
    writeFileSync(join(work, 'rootfs', path), text);
  };
  put('etc/hostname', 'rushlight\n');
  put('usr/bin/tool', '#!/bin/sh\n');
  put(
    'var/lib/dpkg/status',
    'Package: small\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nInstalled-Size: 1\n\n',
  );
  put('var/lib/dpkg/info/small.list', '/usr/bin/tool\n');
  put('boot/firmware/kernel8.img', 'kernel');
  put('boot/firmware/bootcode.bin', 'rom');
  put('boot/firmware/config.txt', readFileSync(join(root, 'pi-gen-config/board/config.txt'), 'utf8'));
  const tree = join(work, 'rootfs/boot/firmware/bcm2711-rpi-4-b.dtb');
  const fixture = join(root, 'overlays/dt/fixtures/base-tree.dts');
  expect(spawnSync('dtc', ['-@', '-q', '-O', 'dtb', '-o', tree, fixture]).status).toBe(0);
  for (const folder of ['proc', 'sys', 'dev', 'run', 'tmp', 'data']) mkdirSync(join(work, 'rootfs', folder));
  chmodSync(join(work, 'rootfs/usr/bin/tool'), 0o755);
  symlinkSync('usr/bin', join(work, 'rootfs/bin'));
  runExport('first');
});

afterAll(() => rmSync(work, { recursive: true }));

const image = (): string => join(work, 'first/test.img');

describe('the disk', () => {
  test('has the layout of the contract, without overlaps', async () => {
    const table = spawnSync('/usr/sbin/sfdisk', ['--dump', image()], { encoding: 'utf8' }).stdout;
    expect(table).toMatch(/^label: dos$/m);
    const types = [...table.matchAll(/type=\s*([0-9a-f]+)/g)].map(([, type]) => type);
    expect(types).toEqual(['c', 'c', 'c', 'f', '83', '83', 'da']);
    const partitions = await partitionsOf(image());
    const used = partitions.filter(({ number }) => number !== 4);
    for (const [index, next] of used.entries()) {
      const before = used[index - 1];
      if (before !== undefined)
        expect(next.startByte).toBeGreaterThanOrEqual(before.startByte + before.sizeBytes);
      expect(next.startByte % (4 * 1024 * 1024)).toBe(0);
    }
    expect(partitions[4]?.sizeBytes).toBe(partitions[5]?.sizeBytes);
  });

  test('boots by autoboot.txt, and each slot names its own root', async () => {
    const files = new FatFiles(image());
    const autoboot = await files.readText(1, 'autoboot.txt');
    for (const [tryboot, partition, rootPartition, slot] of [
      [false, 2, '05', 'A'],
      [true, 3, '06', 'B'],
    ] as const) {
      expect(chooseBoot(autoboot, tryboot).partition).toBe(partition);
      const cmdline = await files.readText(partition, 'cmdline.txt');
      expect(cmdline).toContain(`root=PARTUUID=52534c54-${rootPartition} `);
      expect(cmdline).toContain(`rauc.slot=${slot}`);
      expect(cmdline).not.toContain('@');
      expect(cmdline).not.toMatch(/\bresize\b/);
      expect((await files.readText(partition, 'config.txt'))?.length).toBeGreaterThan(0);
      expect(await files.readText(partition, 'kernel8.img')).toBe('kernel');
    }
    expect(await files.readText(1, 'bootcode.bin')).toBe('rom');
    expect(await files.readText(1, 'rushlight.toml')).toContain('role = "auto"');
  });

  test('contains a root without what lives elsewhere on the device', () => {
    const listed = spawnSync('unsquashfs', ['-lc', join(work, 'first/test.squashfs')], {
      encoding: 'utf8',
    }).stdout;
    expect(listed).toContain('usr/bin/tool');
    expect(listed).toContain('boot/rushlight');
    expect(listed).toContain('var/tmp');
    expect(listed).not.toContain('kernel8.img');
    expect(listed).not.toContain('dpkg/status');
  });

  test('is reproducible from a later checkout', () => {
    spawnSync('find', [join(work, 'rootfs'), '-exec', 'touch', '{}', '+']);
    runExport('second');
    const digest = (out: string): string =>
      spawnSync('sha256sum', [join(work, out, 'test.squashfs')], { encoding: 'utf8' }).stdout.slice(0, 64);
    expect(digest('second')).toBe(digest('first'));
    expect(statSync(join(work, 'second/test.img')).size).toBe(statSync(image()).size);
  });
});

test('an overlay that does not match a board fails the build', () => {
  const folder = join(work, 'rootfs/boot/firmware/overlays');
  const script = `source "$1/image/lib/common.sh"; source "$1/image/lib/board-trees.sh"; SOURCE_DIR=$1
    mkdir -p "$3"; for o in rushlight-header rushlight-status-led; do printf broken > "$3/$o.dtbo"; done
    check_overlays "$2" "$3"`;
  const boot = join(work, 'rootfs/boot/firmware');
  const { status, stderr } = spawnSync('bash', ['-c', script, 'check', root, boot, folder], {
    encoding: 'utf8',
  });
  expect(status).not.toBe(0);
  expect(stderr).toContain('rushlight-header.dts does not fit bcm2711-rpi-4-b.dtb');
});

test('the config.txt for boards needs no separate file for each kernel', () => {
  const config = readFileSync(join(root, 'pi-gen-config/board/config.txt'), 'utf8');
  expect(config).toMatch(/^auto_initramfs=1$/m);
  expect(() => bootFilesOf(config)).toThrow(/no kernel/);
});

/** Runs a line in mount namespaces of its own, beside the parts of the build; needs root. */
function inMountNamespace(line: string): { status: number | null; stdout: string; stderr: string } {
  const parts = ['common', 'disk', 'report']
    .map((part) => `source "${root}/image/lib/${part}.sh"`)
    .join('; ');
  const script = `set -euo pipefail; ${parts}; tree=$1; ${line}`;
  return spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', 'bash', '-c', script, 'build', join(work, 'mounted')],
    {
      encoding: 'utf8',
      env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
    },
  );
}

describe.runIf(process.getuid?.() === 0)('a root in which pi-gen left something mounted', () => {
  beforeAll(() => {
    for (const folder of ['proc', 'dev', 'usr'])
      mkdirSync(join(work, 'mounted', folder), { recursive: true });
    writeFileSync(join(work, 'mounted/usr/file'), 'x');
  });

  test('is unmounted before it is measured and packed', () => {
    const mount =
      'mount -t proc proc "$tree/proc"; mount --bind /dev "$tree/dev"; mount -t tmpfs none "$tree/dev/shm"';
    const { status, stdout, stderr } = inMountNamespace(
      `${mount}; release_mounts "$tree"; ls -A "$tree"/proc "$tree"/dev`,
    );
    expect(stderr).toBe('');
    expect(stdout.replaceAll(work, '')).toBe('/mounted/dev:\n\n/mounted/proc:\n');
    expect(status).toBe(0);
  });

  test('keeps the timestamps of files outside it', () => {
    const other = join(work, 'others');
    mkdirSync(other, { recursive: true });
    const { mtimeMs } = statSync(other);
    const { status, stderr } = inMountNamespace(`mount --bind "${other}" "$tree/dev"; source_times "$tree"`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/mounted\/dev is mounted; its times are not ours to change/);
    expect(statSync(other).mtimeMs).toBe(mtimeMs);
  });
});
