import type { networkInterfaces } from 'node:os';
import type { WifiNetwork } from './settings.ts';

/** An open access point. Disposing closes it and gives the radio back to the known networks. */
export interface OpenAccessPoint extends AsyncDisposable {
  /** Resolves when it has ended: the radio was pulled, or cannot be an access point. */
  readonly ended: Promise<void>;
}

/** What the access point needs from the machine; {@link linuxAccessPoint} on the device. */
export interface AccessPointSystem {
  interfaces(): ReturnType<typeof networkInterfaces>;
  /** Name of the first radio; undefined without one. */
  findRadio(): Promise<string | undefined>;
  /** Names of the networks in range. */
  scan(radio: string): Promise<readonly string[]>;
  open(radio: string, ssid: string, signal: AbortSignal): Promise<OpenAccessPoint>;
  /** Keeps a network for good; it is tried with the known networks when the access point closes. */
  keep(network: WifiNetwork): Promise<void>;
}
