import type { AccessPointSystem, OpenAccessPoint } from './access-point-system.ts';
import type { WifiNetwork } from './settings.ts';

/** A machine with a radio that a test controls. */
export class FakeAccessPointSystem implements AccessPointSystem {
  /** Addresses of eth0. */
  addresses: string[] = [];
  radio: string | undefined = 'wlan0';
  failsToOpen = false;
  readonly seen = ['Van'];
  readonly kept: WifiNetwork[] = [];
  readonly events: string[] = [];
  /** Ends the open access point from outside. */
  pull: () => void = () => {};

  interfaces(): ReturnType<AccessPointSystem['interfaces']> {
    const common = { netmask: '255.255.255.0', mac: '00:00:00:00:00:00', internal: false, cidr: null };
    return { eth0: this.addresses.map((address) => ({ ...common, address, family: 'IPv4' as const })) };
  }

  async findRadio(): Promise<string | undefined> {
    return this.radio;
  }

  async scan(): Promise<readonly string[]> {
    return this.seen;
  }

  async open(radio: string, ssid: string): Promise<OpenAccessPoint> {
    if (this.failsToOpen) throw new Error('the radio is broken');
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.pull = resolve;
    this.events.push(`open ${radio} ${ssid}`);
    return { ended, [Symbol.asyncDispose]: async () => void this.events.push('closed') };
  }

  async keep(network: WifiNetwork): Promise<void> {
    this.kept.push(network);
    this.events.push(`keep ${network.ssid}`);
  }
}
