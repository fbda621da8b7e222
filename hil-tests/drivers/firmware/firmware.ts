import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BootFileError, bootFilesOf, chooseBoot, trybootRequested } from './boot-files.ts';
import { FatFiles } from './disk-image.ts';

/** What QEMU's direct kernel boot needs. */
export interface Boot {
  readonly partition: number;
  readonly tryboot: boolean;
  readonly kernel: string;
  readonly initramfs: string | null;
  readonly cmdline: string;
}

/**
 * Simulates the boards' boot firmware around QEMU: chooses the slot by autoboot.txt of partition 1 and loads the kernel from
 * there. It keeps the one-shot trial flag, which the next start uses up, whatever happens to it.
 */
export class BootFirmware {
  readonly #files: FatFiles;
  readonly #folder: string;
  #trybootNext = false;

  /** `folder` receives the loaded files. */
  constructor(image: string, folder: string) {
    this.#files = new FatFiles(image);
    this.#folder = folder;
  }

  /** Records how the last run ended. Only a restart keeps the flag; a power cut loses it. */
  noteRestart(serial: string): void {
    this.#trybootNext = trybootRequested(serial);
  }

  notePowerCut(): void {
    this.#trybootNext = false;
  }

  /** Rejects with BOOT_FILE_INVALID if a board would not start either. */
  async load(): Promise<Boot> {
    const tryboot = this.#trybootNext;
    this.#trybootNext = false;
    const choice = chooseBoot(await this.#files.readText(1, 'autoboot.txt'), tryboot);
    const config = await this.#files.readText(choice.partition, choice.configFile);
    if (config === null) {
      throw new BootFileError(`partition ${choice.partition} has no ${choice.configFile}`);
    }
    const names = bootFilesOf(config);
    await mkdir(this.#folder, { recursive: true });
    const kernel = join(this.#folder, 'kernel');
    const initramfs = names.initramfs === null ? null : join(this.#folder, 'initramfs');
    await this.#files.copyOut(choice.partition, names.kernel, kernel);
    if (names.initramfs !== null && initramfs !== null) {
      await this.#files.copyOut(choice.partition, names.initramfs, initramfs);
    }
    const cmdline = (await this.#files.readText(choice.partition, names.cmdline)) ?? '';
    return {
      partition: choice.partition,
      tryboot,
      kernel,
      initramfs,
      cmdline: cmdline.split('\n')[0]?.trim() ?? '',
    };
  }
}
