import type { networkInterfaces } from 'node:os';
import type { WifiNetwork } from './settings.ts';

/** An access point that is open. Disposing closes it and gives the radio back to the known networks. */
export interface OpenAccessPoint extends AsyncDisposable {
  /** Resolves when it is no more: the radio was pulled, or cannot be an access point. */
  readonly ended: Promise<void>;
}

/** What the access point needs of the machine; {@link linuxAccessPoint} on the device. */
export interface AccessPointSystem {
  interfaces(): ReturnType<typeof networkInterfaces>;
  /** Name of the first radio; undefined without one. */
  findRadio(): Promise<string | undefined>;
  /** Names of the networks around. */
  scan(radio: string): Promise<readonly string[]>;
  open(radio: string, ssid: string, signal: AbortSignal): Promise<OpenAccessPoint>;
  /** Keeps a network for good; the known networks are tried with it when the access point closes. */
  keep(network: WifiNetwork): Promise<void>;
}
