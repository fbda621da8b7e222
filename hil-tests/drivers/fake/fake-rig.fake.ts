import { RigError } from '../../lib/errors.ts';
import type { Network } from '../../protocols/network.ts';
import type { Storage } from '../../protocols/storage.ts';
import type { Rig } from '../../rig.ts';
import { SerialLog } from '../qemu/serial-log.ts';

/** A rig without a device: it records its orders, for tests of the rig itself. */
export class FakeRig implements Rig {
  readonly name = 'fake';
  readonly slowness = 1;
  readonly gpio = null;
  readonly video = null;
  readonly usb = null;
  readonly reference = null;
  readonly neighbours = null;
  readonly watchdog = null;
  readonly starts = null;
  readonly log: string[] = [];
  readonly console = new SerialLog(async () => {});
  readonly power = {
    on: async (): Promise<void> => void this.log.push('on'),
    off: async (): Promise<void> => void this.log.push('off'),
  };
  readonly storage: Storage = {
    ssdLabel: null,
    flash: async () => void this.log.push('flash'),
    writeCard: async (name) => void this.log.push(`write ${name}`),
    readCard: async () => null,
  };
  readonly network: Network = {
    endpoint: () => ({ host: '127.0.0.1', port: 9 }),
    shell: () => Promise.reject(new RigError('RIG_TOOL', 'there is no device')),
    forget: async () => {},
    askMdns: async () => [],
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.log.push('disposed');
  }
}
