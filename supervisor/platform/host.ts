import type { PowerState } from './proc-metrics.ts';

/** Space of one disk, in bytes. */
export interface DiskMetrics {
  readonly mount: string;
  /** Name of the disk as people know it: the label of its file system, or its device. */
  readonly label: string;
  readonly totalBytes: number;
  /** What a program without special rights can still write. */
  readonly freeBytes: number;
  /** Seconds for which it has not answered: the figures are from before. Absent: it answers. */
  readonly silentS?: number;
}

/** Traffic of one interface. */
export interface NetworkMetrics {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Since the sample before; 0 in the first. */
  readonly rxKbps: number;
  readonly txKbps: number;
  readonly wifiSignalDbm: number | null;
}

/** The machine's figures at one moment. */
export interface HostMetrics {
  /** Of all cores together, since the sample before; the first one since boot. */
  readonly cpuLoadPercent: number;
  readonly temperatureC: number | null;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly disks: readonly DiskMetrics[];
  readonly network: readonly NetworkMetrics[];
  readonly uptimeS: number;
  /** Whether the time came from a time server; null if unknown. */
  readonly clockSynced: boolean | null;
}

/** What the machine is. */
export interface HostIdentity {
  /** `Raspberry Pi Zero 2 W Rev 1.0`, or a PC's maker and model. */
  readonly model: string;
  readonly serial: string | null;
  /** Stays for the life of the machine's installation; not secret, not the serial. */
  readonly id: string;
  readonly cores: number;
  readonly architecture: string;
}

/** What the machine says about itself. */
export interface Host {
  /** Fast: a few reads, no fork. Of the disks it says what they answered last. */
  sample(): HostMetrics;
  /** Asks the disks for their space. Settles within a quarter of a second, even if one of them hangs. Never rejects. */
  lookAtDisks(): Promise<void>;
  /** Null if there is no firmware to ask. Forks on a board whose kernel does not report it. */
  power(): Promise<PowerState | null>;
  /**
   * Wear of disks in percent, by mount; disks without a value are left out. Never rejects. Call it rarely: it forks once for
   * each disk, and may take seconds.
   */
  wear(): Promise<ReadonlyMap<string, number>>;
  /** Call it rarely; the result does not change while the machine runs. */
  identity(): Promise<HostIdentity>;
}

/** The name of an appliance without one in its settings: `rushlight-` and the last 4 characters of the serial number. */
export function defaultName({ serial, id }: Pick<HostIdentity, 'serial' | 'id'>): string {
  const characters = (serial ?? id).toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return `rushlight-${characters.slice(-4).padStart(4, '0')}`;
}
