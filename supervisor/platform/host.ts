import type { PowerState } from './proc-metrics.ts';

export interface DiskMetrics {
  readonly mount: string;
  /** Name of the disk as people know it: the label of its file system, else its device. */
  readonly label: string;
  readonly totalBytes: number;
  /** What a program without special rights may still write. */
  readonly freeBytes: number;
}

export interface NetworkMetrics {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Since the sample before; 0 in the first. */
  readonly rxKbps: number;
  readonly txKbps: number;
  readonly wifiSignalDbm: number | null;
}

export interface HostMetrics {
  /** Of all cores together, since the sample before; in the first since boot. */
  readonly cpuLoadPercent: number;
  readonly temperatureC: number | null;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly disks: readonly DiskMetrics[];
  readonly network: readonly NetworkMetrics[];
  readonly uptimeS: number;
  /** Whether the time came from a time server; null where nothing tells. */
  readonly clockSynced: boolean | null;
}

export interface HostIdentity {
  /** `Raspberry Pi Zero 2 W Rev 1.0`, or a PC's maker and model. */
  readonly model: string;
  readonly serial: string | null;
  /** Stays for the life of the machine's installation; not secret, not the serial. */
  readonly id: string;
  readonly cores: number;
  readonly architecture: string;
}

/** What the machine tells of itself. */
export interface Host {
  /** Fast: a few reads, no fork. */
  sample(): HostMetrics;
  /** Null where there is no firmware to ask. Forks on a board whose kernel does not tell. */
  power(): Promise<PowerState | null>;
  /**
   * Worn part of disks in percent, by mount; those that do not tell are not in it. Never rejects.
   * Rare: forks once for each disk, and may take seconds.
   */
  wear(): Promise<ReadonlyMap<string, number>>;
  /** Rare; does not change while the machine runs. */
  identity(): Promise<HostIdentity>;
}

/** The name of an appliance that was given none: `rushlight-` and the last 4 characters of the serial number. */
export function defaultName({ serial, id }: Pick<HostIdentity, 'serial' | 'id'>): string {
  const characters = (serial ?? id).toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return `rushlight-${characters.slice(-4).padStart(4, '0')}`;
}
