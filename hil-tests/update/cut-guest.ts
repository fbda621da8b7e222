import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FatFiles } from '../drivers/firmware/disk-image.ts';
import { runTool } from '../lib/run-tool.ts';
import { addToInitramfs } from './cpio.ts';
import { type MachineRun, runSmallMachine } from './small-machine.ts';

const mebibyte = 1024 * 1024;
const fatStart = 1 * mebibyte;
const fatBytes = 34 * mebibyte;
const dataStart = 36 * mebibyte;
const dataBytes = 16 * mebibyte;
/** Size of the disk. */
const diskBytes = 54 * mebibyte;

const overlay = 'overlays/rootfs';
const selectorPath = 'usr/libexec/rushlight/selector';

const autoboot = '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n';

/** What the disk of a cut guest contains. */
export interface SelectorOnDisk {
  readonly autoboot: string | null;
  /** Null if there is none, or the file system could not be repaired. */
  readonly state: string | null;
}

/** A small machine that does nothing but update after update of the boot selector, with the image's own kernel and agent. */
export class CutGuest {
  readonly disk: string;
  readonly #folder: string;
  readonly #image: string;

  constructor(folder: string, image: string) {
    this.#folder = folder;
    this.#image = image;
    this.disk = join(folder, 'disk.img');
  }

  async prepare(): Promise<void> {
    const boot = new FatFiles(this.#image);
    await boot.copyOut(2, 'kernel.img', join(this.#folder, 'kernel'));
    await boot.copyOut(2, 'initramfs.img', join(this.#folder, 'initramfs'));
    const init = await readFile(join(import.meta.dirname, '../guest/cut-init'));
    // The script under test is the tree's; shell, mv and sync are the image's.
    const selector = await readFile(join(import.meta.dirname, '../..', overlay, selectorPath));
    const files = {
      'cut-init': { data: init, mode: 0o755 },
      [selectorPath]: { data: selector, mode: 0o755 },
    };
    await addToInitramfs(join(this.#folder, 'initramfs'), files);
    await this.format();
  }

  /** The disk as before the first update: FAT with autoboot.txt, empty ext4. */
  async format(): Promise<void> {
    const table = `label: dos\nstart=${fatStart / 512}, size=${fatBytes / 512}, type=c\nstart=${dataStart / 512}, size=${dataBytes / 512}, type=83\n`;
    await writeFile(this.disk, '');
    await runTool(['truncate', '-s', String(diskBytes), this.disk]);
    await runTool(['sfdisk', '--quiet', this.disk], { input: table });
    await runTool([
      'mkfs.vfat',
      '-F',
      '32',
      '--offset',
      String(fatStart / 512),
      this.disk,
      String(fatBytes / 1024),
    ]);
    await runTool([
      'mke2fs',
      '-q',
      '-t',
      'ext4',
      '-E',
      `offset=${dataStart}`,
      this.disk,
      `${dataBytes / 1024}k`,
    ]);
    await new FatFiles(this.disk).write(1, 'autoboot.txt', autoboot);
  }

  /** Runs the guest; `onLine` gets its output and may cut its power. Resolves when it is off, with all its output. */
  async run(options: MachineRun & { cycles: number; writeLog: string | null }): Promise<string[]> {
    if (options.writeLog !== null) await writeFile(options.writeLog, '');
    const machine = {
      kernel: join(this.#folder, 'kernel'),
      initramfs: join(this.#folder, 'initramfs'),
      memoryMb: 384,
      cmdline: `console=ttyS0 rdinit=/cut-init quiet loglevel=3 panic=-1 cut.cycles=${options.cycles} `,
      disk: this.disk,
      writeLog: options.writeLog,
    };
    return await runSmallMachine(machine, options);
  }

  /** What the disk contains now: the FAT as the firmware reads it, the ext4 as the next mount would find it. */
  async look(): Promise<SelectorOnDisk> {
    const disk = await readFile(this.disk);
    return { autoboot: await this.readAutoboot(disk), state: await this.readState(disk) };
  }

  /** autoboot.txt on the FAT of a disk. */
  async readAutoboot(disk: Buffer): Promise<string | null> {
    const fat = join(this.#folder, 'look.vfat');
    await writeFile(fat, disk.subarray(fatStart, fatStart + fatBytes));
    return await textOrNull(['mtype', '-i', fat, '::/autoboot.txt']);
  }

  /** The selector's memory on the ext4 of a disk, after its journal was replayed. */
  async readState(disk: Buffer): Promise<string | null> {
    const data = join(this.#folder, 'look.ext4');
    await writeFile(data, disk.subarray(dataStart, dataStart + dataBytes));
    // Status 1: repaired, which is the replay.
    const script =
      'e2fsck -fy "$1" > /dev/null 2>&1 || [ $? -le 1 ]; exec debugfs -R "cat /system/selector/state" "$1"';
    return await textOrNull(['sh', '-ec', script, 'sh', data]);
  }
}

/** Whether an offset on the disk is in the FAT; otherwise it is in the ext4, or the partition table. */
export const isInFat = (offset: number): boolean => offset >= fatStart && offset < fatStart + fatBytes;

async function textOrNull(argv: readonly [string, ...string[]]): Promise<string | null> {
  const text = await runTool(argv).catch((error: unknown) => {
    if (argv[0] === 'mtype') return Buffer.alloc(0); // mtools exits like this if there is no such file.
    throw error;
  });
  return text.length === 0 ? null : text.toString('utf8');
}
