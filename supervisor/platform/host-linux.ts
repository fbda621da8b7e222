import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { errorCode } from '../../common/errors.ts';
import { DiskSpace } from './disk-space.ts';
import { DiskWear } from './disk-wear.ts';
import type { DiskMetrics, Host, HostIdentity, HostMetrics, NetworkMetrics } from './host.ts';
import { type Network, systemNetwork } from './network.ts';
import {
  type CpuTicks,
  cpuLoadPercent,
  type InterfaceCounters,
  type PowerState,
  parseCpuTicks,
  parseDiskMounts,
  parseMemory,
  parseNetworkCounters,
  parseTemperature,
  parseThrottled,
  parseUptime,
  parseWirelessSignal,
} from './proc-metrics.ts';

const run = promisify(execFile);

/** Where the machine's figures are read. */
export interface LinuxHostOptions {
  readonly logger: Logger;
  /** Prefix of /proc and /sys. Default: none. */
  readonly root?: string;
  readonly network?: Network;
  readonly now?: () => number;
  /** Default `vcgencmd`. */
  readonly firmwareProgram?: string;
}

interface Earlier {
  readonly atMs: number;
  readonly cpu: CpuTicks;
  readonly counters: ReadonlyMap<string, InterfaceCounters>;
}

/** A Linux machine: a Raspberry Pi or a PC. */
export class LinuxHost implements Host {
  readonly #logger: Logger;
  readonly #root: string;
  readonly #network: Network;
  readonly #now: () => number;
  readonly #firmwareProgram: string;
  readonly #diskSpace: DiskSpace;
  readonly #diskWear: DiskWear;
  #earlier: Earlier | undefined;
  #hasFirmware = true;

  constructor(options: LinuxHostOptions) {
    this.#logger = options.logger;
    this.#root = options.root ?? '/';
    this.#network = options.network ?? systemNetwork;
    this.#now = options.now ?? (() => performance.now());
    this.#firmwareProgram = options.firmwareProgram ?? 'vcgencmd';
    this.#diskSpace = new DiskSpace(this.#logger);
    this.#diskWear = new DiskWear({ logger: this.#logger, root: this.#root });
  }

  sample(): HostMetrics {
    const atMs = this.#now();
    const cpu = parseCpuTicks(this.#read('proc/stat')) ?? { busy: 0, total: 0 };
    const counters = parseNetworkCounters(this.#read('proc/net/dev'));
    const memory = parseMemory(this.#read('proc/meminfo'));
    const load = cpuLoadPercent(this.#earlier?.cpu ?? { busy: 0, total: 0 }, cpu);
    const network = this.#interfaces(counters, atMs);
    this.#earlier = { atMs, cpu, counters };
    return {
      cpuLoadPercent: load,
      temperatureC: this.#temperature(),
      memoryUsedBytes: memory?.usedBytes ?? 0,
      memoryTotalBytes: memory?.totalBytes ?? 0,
      disks: this.#disks(),
      network,
      uptimeS: parseUptime(this.#read('proc/uptime')) ?? 0,
      clockSynced: this.#clockSynced(),
    };
  }

  async lookAtDisks(): Promise<void> {
    const found = parseDiskMounts(this.#read('proc/self/mounts'));
    await this.#diskSpace.look(found.map(({ mount }) => mount));
  }

  async power(): Promise<PowerState | null> {
    const known = this.#kernelPower();
    if (known !== null) return known;
    if (!this.#hasFirmware) return null;
    try {
      const { stdout } = await run(this.#firmwareProgram, ['get_throttled'], { timeout: 5000 });
      return parseThrottled(stdout) ?? null;
    } catch (error) {
      // The program does not exist: this is no Raspberry Pi, and will not become one. Any other error may pass.
      if (errorCode(error) === 'ENOENT') this.#hasFirmware = false;
      else this.#logger.warn({ err: error }, 'the firmware does not report its power state');
      return null;
    }
  }

  async wear(): Promise<ReadonlyMap<string, number>> {
    const wear = new Map<string, number>();
    for (const { mount, device } of parseDiskMounts(this.#read('proc/self/mounts'))) {
      try {
        const percent = await this.#diskWear.percent(device);
        if (percent !== null) wear.set(mount, percent);
      } catch (error) {
        // A disk that was pulled during the call does not count.
        this.#logger.debug({ err: error, device }, 'a disk does not report its wear');
      }
    }
    return wear;
  }

  async identity(): Promise<HostIdentity> {
    const board = this.#deviceTree('model');
    const serial = this.#deviceTree('serial-number');
    return {
      model: board ?? (await this.#pcModel()),
      serial,
      id: this.#stableId(serial),
      cores: availableParallelism(),
      architecture: process.arch,
    };
  }

  #interfaces(counters: ReadonlyMap<string, InterfaceCounters>, atMs: number): NetworkMetrics[] {
    const signals = parseWirelessSignal(this.#read('proc/net/wireless'));
    const seconds = this.#earlier === undefined ? 0 : (atMs - this.#earlier.atMs) / 1000;
    return this.#network
      .interfaces()
      .filter(({ isLoopback }) => !isLoopback)
      .map(({ name, addresses }) => {
        const [before, after] = [this.#earlier?.counters.get(name), counters.get(name)];
        return {
          name,
          addresses,
          rxKbps: rateKbps(before?.rxBytes, after?.rxBytes, seconds),
          txKbps: rateKbps(before?.txBytes, after?.txBytes, seconds),
          wifiSignalDbm: signals.get(name) ?? null,
        };
      });
  }

  /**
   * Raspberry Pi's kernel keeps the firmware's last answer. Its voltage monitor (`rpi_volt`) asks every 2 s; without it the
   * kept value may be of any age, and is ignored.
   */
  #kernelPower(): PowerState | null {
    const monitors = this.#entries('sys/class/hwmon');
    if (!monitors.some((name) => this.#read(`sys/class/hwmon/${name}/name`).trim() === 'rpi_volt'))
      return null;
    const driver = 'sys/bus/platform/drivers/raspberrypi-firmware';
    for (const name of this.#entries(driver)) {
      const digits = this.#read(join(driver, name, 'get_throttled')).trim();
      const state = digits === '' ? undefined : parseThrottled(`throttled=0x${digits}`);
      if (state !== undefined) return state;
    }
    return null;
  }

  #entries(path: string): string[] {
    try {
      return readdirSync(join(this.#root, path));
    } catch {
      // Not every machine has every folder, and udev removes some with the last disk.
      return [];
    }
  }

  #disks(): DiskMetrics[] {
    const labels = this.#labels();
    return parseDiskMounts(this.#read('proc/self/mounts')).flatMap(({ mount, device }) => {
      const space = this.#diskSpace.of(mount);
      return space === null
        ? []
        : [{ mount, label: labels.get(basename(device)) ?? basename(device), ...space }];
    });
  }

  /** Labels of file systems by device name, as udev links them. */
  #labels(): ReadonlyMap<string, string> {
    const labels = new Map<string, string>();
    for (const label of this.#entries('dev/disk/by-label')) {
      try {
        labels.set(basename(readlinkSync(join(this.#root, 'dev/disk/by-label', label))), unescapeUdev(label));
      } catch (error) {
        // A disk that was pulled while this list was made has no label.
        this.#logger.debug({ err: error, label }, 'a disk does not report its label');
      }
    }
    return labels;
  }

  /** The hottest zone: on a Raspberry Pi there is one. */
  #temperature(): number | null {
    const zones = this.#entries('sys/class/thermal').filter((name) => name.startsWith('thermal_zone'));
    const all = zones.flatMap((zone) => parseTemperature(this.#read(`sys/class/thermal/${zone}/temp`)) ?? []);
    return all.length === 0 ? null : Math.max(...all);
  }

  /** systemd-timesyncd leaves a mark when it has set the clock; without it nothing but a fork can say. */
  #clockSynced(): boolean | null {
    if (!existsSync(join(this.#root, 'run/systemd/timesync'))) return null;
    return existsSync(join(this.#root, 'run/systemd/timesync/synchronized'));
  }

  #deviceTree(name: string): string | null {
    const text = this.#read(`proc/device-tree/${name}`).replaceAll('\0', '').trim();
    return text === '' ? null : text;
  }

  async #pcModel(): Promise<string> {
    const { system } = await import('systeminformation');
    const { manufacturer, model } = await system();
    return [manufacturer, model].filter((text) => text !== '').join(' ') || 'PC';
  }

  /** systemd says that the machine id itself must not be revealed to others, hence a hash of it (machine-id(5)). */
  #stableId(serial: string | null): string {
    const machineId = this.#read('etc/machine-id').trim();
    const origin = serial ?? (machineId === '' ? hostname() : machineId);
    return createHash('sha256').update(`rushlight ${origin}`).digest('hex').slice(0, 12);
  }

  /** The text of a small file; empty if there is none. */
  #read(path: string): string {
    try {
      return readFileSync(join(this.#root, path), 'utf8');
    } catch {
      // Not every machine has every file; the parsers report what is missing.
      return '';
    }
  }
}

function rateKbps(before: number | undefined, after: number | undefined, seconds: number): number {
  if (before === undefined || after === undefined || after < before || seconds <= 0) return 0;
  return ((after - before) * 8) / 1000 / seconds;
}

function unescapeUdev(text: string): string {
  return text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
