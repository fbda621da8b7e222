import type { Usb } from '../../protocols/usb.ts';
import type { QemuMachine } from './machine.ts';

/** Disks that QEMU plugs into the guest's USB controller. */
export class QemuUsb implements Usb {
  readonly #machine: QemuMachine;
  #count = 0;

  constructor(machine: QemuMachine) {
    this.#machine = machine;
  }

  async plug(image: string): Promise<AsyncDisposable> {
    const id = `stick${this.#count++}`;
    const file = { driver: 'file', filename: image };
    await this.#machine.command('blockdev-add', { 'node-name': id, driver: 'raw', file });
    const device = { driver: 'usb-storage', bus: 'usb.0', drive: id, id: `usb-${id}`, removable: true };
    await this.#machine.command('device_add', device);
    const pluggedAt = this.#machine.starts.length;
    return {
      [Symbol.asyncDispose]: async () => {
        // A restart of the guest is another QEMU, with nothing plugged in.
        if (!this.#machine.isOn || this.#machine.starts.length !== pluggedAt) return;
        await this.#machine.command('device_del', { id: `usb-${id}` });
      },
    };
  }
}
