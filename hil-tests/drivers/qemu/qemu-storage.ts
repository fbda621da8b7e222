import { truncate } from 'node:fs/promises';
import { RigError } from '../../lib/errors.ts';
import { runTool } from '../../lib/run-tool.ts';
import type { Storage } from '../../protocols/storage.ts';
import { FatFiles } from '../firmware/disk-image.ts';
import type { QemuMachine } from './machine.ts';

/** The disks of a guest. */
export interface QemuDisks {
  /** The image as it was built; never written to. */
  readonly image: string;
  readonly card: string;
  readonly cardBytes: number;
  readonly ssd: string;
  readonly ssdBytes: number;
}

/** The guest's disks: copies of the image, sparse, with room for the data partition to grow into. */
export class QemuStorage implements Storage {
  readonly ssdLabel = 'RUSHES';
  readonly #disks: QemuDisks;
  readonly #machine: QemuMachine;
  readonly #sshKey: string;

  constructor(disks: QemuDisks, machine: QemuMachine, sshKey: string) {
    this.#disks = disks;
    this.#machine = machine;
    this.#sshKey = sshKey;
  }

  async flash(): Promise<void> {
    this.#demandOff();
    const { image, card, cardBytes, ssd, ssdBytes } = this.#disks;
    await runTool(['cp', '--sparse=always', '--force', image, card], { timeoutMs: 300_000 });
    await truncate(card, cardBytes);
    await runTool(['rm', '-f', ssd]);
    await runTool(['truncate', '-s', String(ssdBytes), ssd]);
    await runTool(['mke2fs', '-q', '-t', 'ext4', '-L', this.ssdLabel, ssd]);
    // The rig's access: the files that Imager writes for an owner with an SSH key.
    await this.writeCard('user-data', `#cloud-config\nssh_authorized_keys:\n  - ${this.#sshKey}\n`);
  }

  async writeCard(name: string, contents: string): Promise<void> {
    this.#demandOff();
    await new FatFiles(this.#disks.card).write(1, name, contents);
  }

  async readCard(name: string): Promise<string | null> {
    this.#demandOff();
    return await new FatFiles(this.#disks.card).readText(1, name);
  }

  #demandOff(): void {
    if (this.#machine.isOn)
      throw new RigError('RIG_LAB', 'the medium can only be touched while the device is off');
  }
}
