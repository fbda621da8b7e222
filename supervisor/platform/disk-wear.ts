import { execFile } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { errorCode } from '../../common/errors.ts';
import { jsonIn } from '../../common/json-text.ts';

/** Where wear is read from. */
export interface DiskWearOptions {
  readonly logger: Logger;
  /** Prefix of /sys and /run. */
  readonly root: string;
  /** Default `smartctl`, of the package smartmontools. */
  readonly program?: string;
}

/** Where the image's rushlight-disk-health.service writes smartctl's output: `sda.json`. */
const saidFolder = 'run/rushlight-disks';
/** SSDs wear over years. */
const askEveryMs = 6 * 3600_000;
const timeoutMs = 20_000;
const longestOutput = 1024 * 1024;

/**
 * How worn disks are. It runs `smartctl` itself instead of through systeminformation, which runs a shell, blocks the event loop
 * to find the program, and loses all disks if one gives no JSON. On the image a unit with the necessary rights runs it, and its
 * output is read here.
 */
export class DiskWear {
  readonly #logger: Logger;
  readonly #root: string;
  readonly #program: string;
  #hasProgram = true;
  readonly #asked = new Map<string, { readonly atMs: number; readonly percent: number | null }>();

  constructor(options: DiskWearOptions) {
    this.#logger = options.logger;
    this.#root = options.root;
    this.#program = options.program ?? 'smartctl';
  }

  /** Wear in percent of the disk that a partition lies on (`/dev/sda1`); null if it is unknown. */
  async percent(partition: string): Promise<number | null> {
    const folder = this.#diskFolder(partition);
    if (folder === null) return null;
    const lifeTime = join(folder, 'device/life_time');
    if (existsSync(lifeTime)) return parseEmmcWear(readFileSync(lifeTime, 'utf8'));
    const said = join(this.#root, saidFolder, `${basename(folder)}.json`);
    if (existsSync(said)) return parseSmartWear(readFileSync(said, 'utf8'));
    return this.#hasProgram ? await this.#ask(basename(folder)) : null;
  }

  async #ask(disk: string): Promise<number | null> {
    const earlier = this.#asked.get(disk);
    if (earlier !== undefined && performance.now() - earlier.atMs < askEveryMs) return earlier.percent;
    const percent = parseSmartWear(await this.#askSmart(`/dev/${disk}`));
    this.#asked.set(disk, { atMs: performance.now(), percent });
    return percent;
  }

  /** The folder of the whole disk in /sys: a partition lies inside it. */
  #diskFolder(partition: string): string | null {
    const link = join(this.#root, 'sys/class/block', basename(partition));
    if (!existsSync(link)) return null;
    const folder = realpathSync(link);
    return existsSync(join(folder, 'partition')) ? dirname(folder) : folder;
  }

  /** The exit code of smartctl is a set of flags, most of which do not mean that it has no result. */
  #askSmart(device: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const options = { timeout: timeoutMs, maxBuffer: longestOutput };
    execFile(this.#program, ['--json', '--all', '--nocheck=standby', device], options, (error, stdout) => {
      if (errorCode(error) === 'ENOENT') {
        this.#hasProgram = false;
        this.#logger.info('no smartctl here: the wear of disks is not known');
      }
      resolve(stdout);
    });
    return promise;
  }
}

const smartSchema = z.object({
  endurance_used: z.object({ current_percent: z.number() }).optional(),
  nvme_smart_health_information_log: z.object({ percentage_used: z.number() }).optional(),
  ata_smart_attributes: z.object({ table: z.array(z.object({ id: z.int(), value: z.number() })) }).optional(),
});

/**
 * Attributes whose normalised value is the remaining part, best first: 202 Percent_Lifetime_Remain, 231 SSD_Life_Left, 233
 * Media_Wearout_Indicator, 177 Wear_Leveling_Count (names of smartmontools' drivedb.h).
 */
const lifeLeftIds = [202, 231, 233, 177];

/** Wear in percent from `smartctl --json --all`; null if it is missing. Worn-out disks may report more than 100. */
export function parseSmartWear(text: string): number | null {
  const parsed = smartSchema.safeParse(jsonIn(text));
  if (!parsed.success) return null;
  const { endurance_used: endurance, nvme_smart_health_information_log: nvme } = parsed.data;
  const percent = endurance?.current_percent ?? nvme?.percentage_used;
  if (percent !== undefined) return percent;
  const table = parsed.data.ata_smart_attributes?.table ?? [];
  for (const id of lifeLeftIds) {
    const left = table.find((attribute) => attribute.id === id)?.value;
    if (left !== undefined && left >= 0 && left <= 100) return 100 - left;
  }
  return null;
}

/**
 * Wear in percent from an eMMC's `life_time`: steps of ten percent, for its two kinds of memory (JEDEC JESD84-B51,
 * DEVICE_LIFE_TIME_EST_TYP_A and _B); 0 means unknown, 11 means beyond its life.
 */
export function parseEmmcWear(text: string): number | null {
  const match = /^0x([0-9a-f]{2}) 0x([0-9a-f]{2})\s*$/i.exec(text);
  if (match === null) return null;
  const steps = Math.max(...match.slice(1).map((digits) => Number.parseInt(digits, 16)));
  return steps >= 1 && steps <= 11 ? steps * 10 : null;
}
