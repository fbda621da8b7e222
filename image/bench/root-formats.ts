/**
 * Compares file systems for the read-only root, side by side on the root of a built image: what an update writes, what a
 * start reads from the card, what reading costs, and how much of an update travels for a small change.
 *
 *   sudo node image/bench/root-formats.ts [ROOT.squashfs] [--runs N] [--only usr/lib/rushlight …]
 *
 * The work is done in TMPDIR, which had better be in memory. Needs root (it mounts), squashfs-tools, e2fsprogs, erofs-utils; MKFS_EROFS names another mkfs.erofs (zstd came with 1.8).
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuSeconds, run } from './measure.ts';

/** RAUC's block-hash-index looks for chunks of this size in the installed system. */
const chunkBytes = 4096;
const mebibyte = 1024 * 1024;
/** The rate that Raspberry Pi's own imager expects of a good card. */
const cardMibPerS = 20;
const mkfsErofs = process.env.MKFS_EROFS ?? 'mkfs.erofs';

interface Format {
  readonly name: string;
  /** What is decompressed at once, at the most, to read one byte. */
  readonly unitKib: number;
  readonly type: 'squashfs' | 'erofs' | 'ext4';
  readonly make: (tree: string, image: string) => readonly string[];
}

/**
 * Files that squashfs puts last, like the build: files that change with each release leave the blocks before them in place.
 */
const lastParts = ['package.json', 'common', 'supervisor', 'media', 'ota'].map(
  (part) => `usr/lib/rushlight/${part} -32000\n`,
);

function sortFile(image: string): string {
  const file = `${image}.order`;
  writeFileSync(file, lastParts.join(''));
  return file;
}

const squashfs = (compressor: string, unitKib: number, ...options: string[]): Format => ({
  name: `squashfs ${compressor}`,
  unitKib,
  type: 'squashfs',
  make: (tree, image) => [
    ...['mksquashfs', tree, image, '-quiet', '-no-progress', '-comp', compressor, ...options],
    ...['-b', `${unitKib}K`, '-xattrs', '-mkfs-time', '0', '-all-time', '0', '-sort', sortFile(image)],
  ],
});
const erofs = (compressor: string, unitKib: number): Format => ({
  name: `erofs ${compressor}`,
  unitKib,
  type: 'erofs',
  make: (tree, image) => [
    ...[mkfsErofs, '--quiet', `-z${compressor}`, `-C${unitKib * 1024}`, '-T0'],
    ...['-U', '00000000-0000-4000-8000-000000000000', image, tree],
  ],
});
const ext4: Format = {
  name: 'ext4',
  unitKib: 4,
  type: 'ext4',
  make: (tree, image) => {
    const megabytes = Math.ceil(Number(run('du', '-sm', '--apparent-size', tree).split('\t')[0]) * 1.25) + 32;
    const features = '^has_journal,^resize_inode';
    return ['mke2fs', '-q', '-t', 'ext4', '-O', features, '-m', '0', '-d', tree, image, `${megabytes}M`];
  },
};

const formats: readonly Format[] = [
  squashfs('zstd', 256, '-Xcompression-level', '15'),
  ext4,
  erofs('zstd,6', 64),
  squashfs('lz4', 64, '-Xhc'),
  erofs('lz4hc,12', 64),
  squashfs('zstd', 64, '-Xcompression-level', '15'),
];

interface Figures {
  readonly imageMib: number;
  readonly makeS: number;
  readonly wholeReadS: number;
  readonly startReadS: number;
  readonly startReadMib: number;
  readonly travelsMib: number;
}

/** The product and its Node, as a start of it reads them. */
const startFiles = ['usr/lib/rushlight'];

function measure(format: Format, tree: string, changed: string, work: string, runs: number): Figures {
  const [image, next] = [join(work, 'image'), join(work, 'next')];
  const makeS = build(format, tree, image);
  build(format, changed, next);
  const whole: number[] = [];
  const start: { s: number; mib: number }[] = [];
  for (let round = 0; round < runs; round += 1) {
    start.push(readCold(format, image, work, startFiles));
    whole.push(readCold(format, image, work, ['.']).s);
  }
  return {
    imageMib: statSync(image).size / mebibyte,
    makeS,
    wholeReadS: Math.min(...whole),
    startReadS: Math.min(...start.map(({ s }) => s)),
    startReadMib: Math.min(...start.map(({ mib }) => mib)),
    travelsMib: newBytes(image, next) / mebibyte,
  };
}

function build(format: Format, tree: string, image: string): number {
  rmSync(image, { force: true });
  const s = cpuSeconds(...format.make(tree, image));
  if (format.type === 'ext4') {
    run('sh', '-c', 'e2fsck -fy "$1" > /dev/null 2>&1; resize2fs -M "$1" > /dev/null 2>&1', 'shrink', image);
  }
  return s;
}

/**
 * Reads files without any of their pages in the cache: the file system is mounted again, its image is in memory. The bytes are
 * those that left the block device, the seconds the processor's time for them.
 */
function readCold(
  format: Format,
  image: string,
  work: string,
  paths: readonly string[],
): { s: number; mib: number } {
  const mount = join(work, 'mnt');
  mkdirSync(mount, { recursive: true });
  const loop = run('losetup', '--find', '--show', '--read-only', image).trim();
  run('mount', '-t', format.type, '-o', 'ro', loop, mount);
  try {
    decompressInPlace(format, loop);
    const before = sectorsRead(loop);
    const reading = 'cd "$1" && shift && find "$@" -xdev -type f -print0 | xargs -0 cat > /dev/null';
    const s = cpuSeconds('sh', '-c', reading, 'read', mount, ...paths);
    return { s, mib: ((sectorsRead(loop) - before) * 512) / mebibyte };
  } finally {
    run('umount', mount);
    run('losetup', '--detach', loop);
  }
}

/** erofs may leave the work to threads of the kernel, whose time is not counted for anyone; here the reader does it. */
function decompressInPlace({ type }: Format, loop: string): void {
  const setting = `/sys/fs/erofs/${basename(loop)}/sync_decompress`;
  if (type === 'erofs' && existsSync(setting)) writeFileSync(setting, '1');
}

function sectorsRead(loop: string): number {
  return Number(
    readFileSync(`/sys/block/${basename(loop)}/stat`, 'utf8')
      .trim()
      .split(/\s+/)[2],
  );
}

/** Bytes of an image in chunks that no chunk of the older one equals. */
function newBytes(older: string, newer: string): number {
  const known = new Set(chunkHashes(older));
  let bytes = 0;
  for (const hash of chunkHashes(newer)) if (!known.has(hash)) bytes += chunkBytes;
  return bytes;
}

function* chunkHashes(path: string): Generator<string> {
  const file = openSync(path, 'r');
  const chunk = Buffer.alloc(chunkBytes);
  while (readSync(file, chunk, 0, chunkBytes, null) > 0)
    yield createHash('sha256').update(chunk).digest('base64');
}

/** The same tree a release later: another version, and a line in each of three of the product's files. */
function changedTree(tree: string, work: string): string {
  const changed = join(work, 'changed');
  run('cp', '-a', tree, changed);
  const product = join(changed, 'usr/lib/rushlight');
  const manifest = join(product, 'package.json');
  writeFileSync(
    manifest,
    readFileSync(manifest, 'utf8').replace(/"version": "[^"]*"/, '"version": "99.0.0"'),
  );
  for (const file of ['supervisor/appliance.ts', 'media/masters/masters.ts', 'ota/index.ts'])
    appendFileSync(join(product, file), '// a line more\n');
  return changed;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string', multiple: true, default: [] } },
});
const source = positionals[0] ?? join(import.meta.dirname, '../out/virt-amd64/root.squashfs');
const work = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'rushlight-formats-'));
try {
  const tree = join(work, 'tree');
  run('unsquashfs', '-quiet', '-no-progress', '-dest', tree, source, ...values.only);
  const changed = changedTree(tree, work);
  const print = (...cells: readonly (string | number)[]) =>
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  print(
    'format',
    'unit KiB',
    'image MiB',
    `write s at ${cardMibPerS} MiB/s`,
    'make CPU s',
    'read all CPU s',
    'start reads MiB',
    'start read CPU s',
    'change travels MiB',
  );
  print(...Array.from({ length: 9 }, () => '---'));
  for (const format of formats) {
    let one: Figures;
    try {
      one = measure(format, tree, changed, work, Number(values.runs));
    } catch (error) {
      // The others are worth knowing anyway: an older mkfs.erofs lacks zstd.
      print(format.name, format.unitKib, `not measured: ${String(error)}`);
      process.exitCode = 1;
      continue;
    }
    print(
      ...[format.name, format.unitKib, one.imageMib.toFixed(0), (one.imageMib / cardMibPerS).toFixed(0)],
      ...[
        one.makeS.toFixed(0),
        one.wholeReadS.toFixed(1),
        one.startReadMib.toFixed(0),
        one.startReadS.toFixed(2),
      ],
      one.travelsMib.toFixed(1),
    );
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
