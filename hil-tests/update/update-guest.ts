import { createHash } from 'node:crypto';
import { mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FatFiles } from '../drivers/firmware/disk-image.ts';
import type { BootFirmware } from '../drivers/firmware/firmware.ts';
import { runTool } from '../lib/run-tool.ts';
import type { SelectorOnDisk } from './cut-guest.ts';
import { type MachineRun, runSmallMachine } from './small-machine.ts';
import { type SmallRelease, smallBootMib } from './small-system.ts';
import { readWriteLog } from './write-log.ts';

const mebibyte = 1024 * 1024;
interface Area {
  /** MiB. */
  readonly start: number;
  readonly size: number;
}
const alignMib = 4;
const dataMib = 64;

/** As in image/lib/layout.sh, with smaller partitions. Pure. */
function layoutOf(rootMib: number) {
  const boot = (index: number): Area => ({
    start: alignMib + index * (smallBootMib + alignMib),
    size: smallBootMib,
  });
  const extended = boot(3).start;
  const root = (index: number): Area => ({
    start: extended + alignMib + index * (rootMib + alignMib),
    size: rootMib,
  });
  const data: Area = { start: root(2).start, size: dataMib };
  const total = data.start + dataMib + alignMib;
  return {
    config: boot(0),
    bootA: boot(1),
    bootB: boot(2),
    rootA: root(0),
    rootB: root(1),
    data,
    extended: { start: extended, size: total - extended },
    total,
  };
}
type Layout = ReturnType<typeof layoutOf>;
type AreaName = 'config' | 'bootA' | 'bootB' | 'rootA' | 'rootB' | 'data';

const autoboot = '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n';
const memory = 'rushlight-selector 1\npending=\nstarted=0\nboots=0\na=good\nb=good\nnote=\nend\n';

/** The disk of a machine that runs the small system, and one start of it at a time. */
export class UpdateGuest {
  readonly disk: string;
  readonly #folder: string;
  readonly #log: string;
  readonly #before: string;
  readonly #layout: Layout;

  /** `rootMib`: size of each root slot. */
  constructor(folder: string, rootMib = 24) {
    this.#folder = folder;
    this.#layout = layoutOf(rootMib);
    this.disk = join(folder, 'disk.img');
    this.#before = join(folder, 'before.img');
    this.#log = join(folder, 'writes.log');
  }

  /** The disk as shipped: both slots contain the release. */
  async flash(release: SmallRelease): Promise<void> {
    const { config, bootA, bootB, extended, rootA, rootB, data, total } = this.#layout;
    const line = (number: number, { start, size }: Area, type: string) =>
      `${number} : start=${start}MiB, size=${size}MiB, type=${type}\n`;
    await writeFile(this.disk, '');
    await truncate(this.disk, total * mebibyte);
    const table = [
      'label: dos\nlabel-id: 0x52534c54\n',
      line(1, config, 'c') + line(2, bootA, 'c') + line(3, bootB, 'c'),
      line(4, extended, 'f'),
      line(5, rootA, '83') + line(6, rootB, '83') + line(7, data, '83'),
    ];
    await runTool(['sfdisk', '--quiet', this.disk], { input: table.join('') });
    const fat = join(this.#folder, 'config.vfat');
    await runTool(['rm', '-f', fat]);
    await runTool(['truncate', '-s', `${config.size}M`, fat]);
    await runTool(['mkfs.vfat', '-F', '32', fat]);
    await this.put(fat, 'config');
    await this.#makeData();
    for (const [slot, area] of [
      ['A', 'bootA'],
      ['B', 'bootB'],
    ] as const) {
      await this.put(release.boot, area);
      const files = new FatFiles(this.disk);
      const partition = slot === 'A' ? 2 : 3;
      const cmdline = (await files.read(partition, 'cmdline.txt')).toString('utf8');
      const own = cmdline.replace('52534c54-05', slot === 'A' ? '52534c54-05' : '52534c54-06');
      await files.write(partition, 'cmdline.txt', own.replace('rauc.slot=A', `rauc.slot=${slot}`));
      await this.put(release.root, slot === 'A' ? 'rootA' : 'rootB');
    }
    await new FatFiles(this.disk).write(1, 'autoboot.txt', autoboot);
  }

  /** One start: from the firmware's choice to a restart, the power cut, or the guest's own end. `words` go to its init. */
  async start(
    firmware: BootFirmware,
    bundles: string,
    run: MachineRun,
    words = '',
  ): Promise<{ partition: number; tryboot: boolean; lines: string[] }> {
    await runTool(['cp', '--sparse=always', this.disk, this.#before]);
    await writeFile(this.#log, '');
    const boot = await firmware.load();
    const cmdline = `${boot.cmdline} rdinit=/update-early-init rig.bundles=${bundles} ${words}`;
    const machine = {
      kernel: boot.kernel,
      initramfs: boot.initramfs ?? '',
      cmdline,
      memoryMb: 512,
      disk: this.disk,
      writeLog: this.#log,
      more: ['-netdev', 'user,id=lan', '-device', 'virtio-net-pci,netdev=lan,romfile='],
    };
    const lines = await runSmallMachine(machine, run);
    return { partition: boot.partition, tryboot: boot.tryboot, lines };
  }

  /**
   * After a power cut: turns the disk into what a card without power may be. Flushed writes stay; `keep` decides about each of
   * the later ones. Returns how many were lost, of how many.
   */
  async loseUnflushed(keep: () => boolean): Promise<{ lost: number; of: number }> {
    const { epochs, unflushed } = readWriteLog(await readFile(this.#log));
    const flushed = unflushed.length > 0 ? epochs.slice(0, -1) : epochs;
    const kept = unflushed.filter(keep);
    await runTool(['cp', '--sparse=always', this.#before, this.disk]);
    const disk = await open(this.disk, 'r+');
    try {
      for (const { offset, data } of [...flushed.flat(), ...kept])
        await disk.write(data, 0, data.length, offset);
    } finally {
      await disk.close();
    }
    return { lost: unflushed.length - kept.length, of: unflushed.length };
  }

  /** What the selector left, as the firmware and the next mount would find it. */
  async selector(): Promise<SelectorOnDisk> {
    const data = join(this.#folder, 'look.ext4');
    await this.#take('data', data, dataMib * mebibyte);
    // Status 1: repaired, which is the replay of the journal.
    const script =
      'e2fsck -fy "$1" > /dev/null 2>&1 || [ $? -le 1 ]; exec debugfs -R "cat /system/selector/state" "$1"';
    const state = (await runTool(['sh', '-ec', script, 'sh', data])).toString('utf8');
    return {
      autoboot: await new FatFiles(this.disk).readText(1, 'autoboot.txt'),
      state: state === '' ? null : state,
    };
  }

  /** SHA-256 of a slot's root, as far as the release's image reaches. */
  async rootMatches(slot: 'A' | 'B', release: SmallRelease): Promise<boolean> {
    const wanted = await readFile(release.root);
    const found = await this.#read(slot === 'A' ? 'rootA' : 'rootB', wanted.length);
    return sha256(found) === sha256(wanted);
  }

  /** Whether every file of a slot's boot partition is the release's; the command line has to name the slot. */
  async bootMatches(slot: 'A' | 'B', release: SmallRelease): Promise<boolean> {
    const [wanted, found] = [join(this.#folder, 'wanted'), join(this.#folder, 'found')];
    const boot = join(this.#folder, 'look.vfat');
    await this.#take(slot === 'A' ? 'bootA' : 'bootB', boot, smallBootMib * mebibyte);
    for (const [image, folder] of [
      [release.boot, wanted],
      [boot, found],
    ] as const) {
      await runTool(['rm', '-rf', folder]);
      await mkdir(folder);
      await runTool(['mcopy', '-n', '-i', image, '::/*', folder]);
    }
    for (const name of ['kernel.img', 'initramfs.img', 'config.txt', 'payload']) {
      if (sha256(await readFile(join(wanted, name))) !== sha256(await readFile(join(found, name))))
        return false;
    }
    const cmdline = await readFile(join(found, 'cmdline.txt'), 'utf8');
    return (
      cmdline.includes(`root=PARTUUID=52534c54-0${slot === 'A' ? 5 : 6} `) &&
      cmdline.includes(`rauc.slot=${slot} `)
    );
  }

  async #makeData(): Promise<void> {
    const content = join(this.#folder, 'data');
    await runTool(['rm', '-rf', content]);
    await mkdir(join(content, 'system/selector'), { recursive: true });
    await mkdir(join(content, 'rushlight/ota'), { recursive: true });
    await writeFile(join(content, 'system/selector/state'), memory);
    // The releases go round, so each third one is older than what runs.
    await writeFile(join(content, 'rushlight/ota/allow-downgrade'), '*\n');
    const { start, size } = this.#layout.data;
    const options = ['-q', '-t', 'ext4', '-d', content, '-E', `offset=${start * mebibyte}`];
    await runTool(['mke2fs', ...options, this.disk, `${size}M`]);
  }

  /** Writes an image into a partition. */
  async put(image: string, area: AreaName): Promise<void> {
    const at = `seek=${this.#layout[area].start}`;
    await runTool(['dd', `if=${image}`, `of=${this.disk}`, 'bs=1M', at, 'conv=notrunc', 'status=none']);
  }

  async #take(area: AreaName, to: string, bytes: number): Promise<void> {
    await writeFile(to, await this.#read(area, bytes));
  }

  async #read(area: AreaName, bytes: number): Promise<Buffer> {
    const disk = await open(this.disk, 'r');
    try {
      const buffer = Buffer.alloc(bytes);
      await disk.read(buffer, 0, bytes, this.#layout[area].start * mebibyte);
      return buffer;
    } finally {
      await disk.close();
    }
  }
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
