import type { Network } from '../protocols/network.ts';
import type { Video } from '../protocols/video.ts';

const platformDevice = 'vivid.0';

/** The kernel's virtual camera (vivid) in the guest. Unbinding it from its driver looks like a pulled plug. */
export class GuestVideo implements Video {
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  async plug(): Promise<void> {
    await this.#drive('bind');
  }

  async unplug(): Promise<void> {
    await this.#drive('unbind');
  }

  async #drive(action: 'bind' | 'unbind'): Promise<void> {
    await this.#network.shell(
      `echo ${platformDevice} > /sys/bus/platform/drivers/vivid/${action}; udevadm settle`,
    );
  }
}
