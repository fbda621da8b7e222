import { stat } from 'node:fs/promises';
import { RigError } from '../../lib/errors.ts';
import { runTool } from '../../lib/run-tool.ts';
import type { Storage } from '../../protocols/storage.ts';
import { FatFiles } from '../firmware/disk-image.ts';

/** How the card is switched and written. */
export interface MuxStorageOptions {
  readonly image: string;
  /** Program that switches the card between the rig (`host`) and the board (`dut`). */
  readonly mux: readonly string[];
  /** The card's block device while the rig has it. */
  readonly device: string;
  readonly sshKey: string;
}

/** A card that an SD multiplexer switches. The rig has it only while something is written or read. */
export class MuxStorage implements Storage {
  readonly ssdLabel = null;
  readonly #options: MuxStorageOptions;

  constructor(options: MuxStorageOptions) {
    this.#options = options;
  }

  async flash(): Promise<void> {
    const { image, sshKey } = this.#options;
    await this.#asHost(async (device) => {
      await runTool(['dd', `if=${image}`, `of=${device}`, 'bs=4M', 'conv=fsync,notrunc', 'status=none'], {
        timeoutMs: 30 * 60_000,
      });
      // Drops the cache of what was just written, so that the comparison reads the card.
      await runTool([
        'dd',
        `of=${device}`,
        'oflag=nocache',
        'conv=notrunc,fdatasync',
        'count=0',
        'status=none',
      ]);
      await runTool(['cmp', '--bytes', String((await stat(image)).size), image, device], {
        timeoutMs: 30 * 60_000,
      });
      await new FatFiles(device).write(
        1,
        'user-data',
        `#cloud-config\nssh_authorized_keys:\n  - ${sshKey}\n`,
      );
    });
  }

  async writeCard(name: string, contents: string): Promise<void> {
    await this.#asHost((device) => new FatFiles(device).write(1, name, contents));
  }

  async readCard(name: string): Promise<string | null> {
    return await this.#asHost((device) => new FatFiles(device).readText(1, name));
  }

  async #asHost<T>(work: (device: string) => Promise<T>): Promise<T> {
    await this.#switch('host');
    try {
      return await work(this.#options.device);
    } finally {
      await runTool(['sync']);
      await this.#switch('dut');
    }
  }

  async #switch(side: 'host' | 'dut'): Promise<void> {
    const [program, ...args] = this.#options.mux;
    if (program === undefined) throw new RigError('RIG_LAB', 'the lab names no program for the multiplexer');
    await runTool([program, ...args, side]);
  }
}
