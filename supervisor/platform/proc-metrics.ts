/** Parsers of the kernel's texts in /proc and /sys (proc(5)). Pure; for other texts they return undefined or less. */

import { parseMounts } from '../../common/mounts.ts';

/** Clock ticks since boot, all cores together. */
export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

/** The first line of /proc/stat. */
export function parseCpuTicks(text: string): CpuTicks | undefined {
  const match = /^cpu +([\d ]+)/.exec(text);
  const ticks = match?.[1]?.trim().split(/ +/).map(Number) ?? [];
  const [, , , idle, ioWait = 0] = ticks;
  if (idle === undefined) return undefined;
  // Guest time (fields 9 and 10) is part of user time already.
  const total = ticks.slice(0, 8).reduce((sum, value) => sum + value, 0);
  return { busy: total - idle - ioWait, total };
}

/** Load between two readings, 0 to 100; 0 if no time has passed. */
export function cpuLoadPercent(before: CpuTicks, after: CpuTicks): number {
  const total = after.total - before.total;
  return total <= 0 ? 0 : Math.min(100, Math.max(0, ((after.busy - before.busy) / total) * 100));
}

/** Memory in bytes. */
export interface MemoryUse {
  readonly totalBytes: number;
  /** Total minus what the kernel could free at once. */
  readonly usedBytes: number;
}

/** /proc/meminfo. */
export function parseMemory(text: string): MemoryUse | undefined {
  const kib = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN);
  const [total, available] = [kib('MemTotal'), kib('MemAvailable')];
  if (!Number.isFinite(total) || !Number.isFinite(available)) return undefined;
  return { totalBytes: total * 1024, usedBytes: Math.max(0, total - available) * 1024 };
}

/** Bytes since the interface came up. */
export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** /proc/net/dev: bytes by interface. */
export function parseNetworkCounters(text: string): ReadonlyMap<string, InterfaceCounters> {
  const result = new Map<string, InterfaceCounters>();
  for (const line of text.split('\n')) {
    const match = /^ *([^\s:]+): *(\d+(?: +\d+){15})\s*$/.exec(line);
    const counters = match?.[2]?.split(/ +/).map(Number);
    const [name, rxBytes, txBytes] = [match?.[1], counters?.[0], counters?.[8]];
    if (name !== undefined && rxBytes !== undefined && txBytes !== undefined)
      result.set(name, { rxBytes, txBytes });
  }
  return result;
}

/** /proc/net/wireless: signal level in dBm by interface. */
export function parseWirelessSignal(text: string): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^ *([^\s:]+): +\S+ +[\d.-]+ +(-\d+)\.? /.exec(line);
    if (match?.[1] !== undefined) result.set(match[1], Number(match[2]));
  }
  return result;
}

/** /proc/uptime in seconds. */
export function parseUptime(text: string): number | undefined {
  const seconds = Number.parseFloat(text);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

/** A zone's `temp`, in thousandths of a degree. */
export function parseTemperature(text: string): number | undefined {
  const match = /^(-?\d+)\s*$/.exec(text);
  return match === null ? undefined : Number(match[1]) / 1000;
}

/** A mounted disk. */
export interface DiskMount {
  readonly mount: string;
  readonly device: string;
}

const diskTypes = new Set([
  'ext4',
  'ext3',
  'ext2',
  'vfat',
  'exfat',
  'xfs',
  'btrfs',
  'f2fs',
  'ntfs3',
  'fuseblk',
]);

/** /proc/self/mounts: the disks, each device once, at its first mount. */
export function parseDiskMounts(text: string): readonly DiskMount[] {
  const byDevice = new Map<string, DiskMount>();
  for (const { device, path, type } of parseMounts(text)) {
    if (!device.startsWith('/dev/') || !diskTypes.has(type) || byDevice.has(device)) continue;
    byDevice.set(device, { device, mount: path });
  }
  return [...byDevice.values()];
}

/** Power problems now and since boot. */
export interface PowerState {
  readonly underVoltageNow: boolean;
  readonly throttledNow: boolean;
  readonly underVoltageSinceBoot: boolean;
  readonly throttledSinceBoot: boolean;
}

/**
 * `vcgencmd get_throttled`: bit 0 under-voltage, 1 frequency capped, 2 throttled, 3 soft temperature limit; 16 to 19
 * the same since boot.
 */
export function parseThrottled(text: string): PowerState | undefined {
  const match = /^throttled=0x([0-9a-f]{1,8})\s*$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  const bits = Number.parseInt(match[1], 16);
  const slowed = 0b1110;
  return {
    underVoltageNow: (bits & 1) !== 0,
    throttledNow: (bits & slowed) !== 0,
    underVoltageSinceBoot: ((bits >>> 16) & 1) !== 0,
    throttledSinceBoot: ((bits >>> 16) & slowed) !== 0,
  };
}
