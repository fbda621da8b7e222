import type { Gpio } from '../protocols/gpio.ts';
import type { Network } from '../protocols/network.ts';

const folder = '/run/rig-gpio';

/** Lines of the gpiochip that guest/cp2112.mjs simulates on the device: eight of them. */
export class GuestGpio implements Gpio {
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  async set(line: number, state: 'open' | 'closed'): Promise<void> {
    const bit = 1 << line;
    const change = state === 'open' ? `| ${bit}` : `& ${0xff & ~bit}`;
    await this.#network.shell(
      `echo $(( $(cat ${folder}/in) ${change} )) > ${folder}/in.new; mv ${folder}/in.new ${folder}/in`,
    );
  }

  async read(line: number): Promise<0 | 1> {
    const levels = Number(await this.#network.shell(`cat ${folder}/out`));
    return ((levels >> line) & 1) === 1 ? 1 : 0;
  }
}
