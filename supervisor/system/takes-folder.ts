import { constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { access, lstat } from '../../common/disk-fs.ts';
import { DiskSilentError, gateOf } from '../../common/disk-gate.ts';
import { errorCode } from '../../common/errors.ts';
import { ifThere } from '../../common/files.ts';
import { mountOf, mounts } from '../../common/mounts.ts';
import { resolveConfigPath } from '../config/load.ts';
import type { Config } from '../config/schema.ts';

/** Where the next take goes, and why there. */
export interface TakesFolder {
  readonly path: string;
  readonly reason: string;
}

/** Where takes may lie. */
export interface TakesFoldersOptions {
  readonly settings: () => Config['masters'];
  readonly configFile: string;
  /** On the data partition: where takes go without an SSD. */
  readonly fallback: string;
  /** Where the image mounts a disk for masters (rushlight-ssd@.service); null if disks are not ours to use. */
  readonly ssd: string | null;
  /** Where the image notes why a disk is not used; default `/run/rushlight-disks`. */
  readonly notes?: string;
}

/** A disk that is there is asked again so often, in milliseconds, as long as anybody wants to know. */
const lookEveryMs = 1000;

/** What a disk answered when it was last asked. */
interface Look {
  /** Which disk: another one may be mounted at the same place. */
  readonly device: string;
  readonly obstacle: string | null;
}

/**
 * Finds the disk for takes. Whether one is mounted is looked up each time, because an SSD comes and goes; the disk itself is
 * asked aside, because it may hang.
 */
export class TakesFolders {
  readonly #options: TakesFoldersOptions;
  #look: Look | null = null;
  #looking: Promise<void> | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: TakesFoldersOptions) {
    this.#options = options;
  }

  /** Asks the SSD whether takes can be written to it. Never rejects; settles within seconds, even if the disk hangs. */
  look(): Promise<void> {
    this.#looking ??= this.#ask().finally(() => {
      this.#lookedAtMs = performance.now();
      this.#looking = null;
    });
    return this.#looking;
  }

  /** The next take goes there. A take stays where it began. */
  current(): TakesFolder {
    const { settings, configFile, fallback, ssd, notes = '/run/rushlight-disks' } = this.#options;
    const { path } = settings();
    if (path !== 'auto')
      return { path: join(resolveConfigPath(configFile, path), 'takes'), reason: 'as set' };
    if (ssd === null) return { path: fallback, reason: 'the data folder' };
    const obstacle = this.#whyNoDisk(ssd, notes);
    if (obstacle === null) return { path: join(ssd, 'takes'), reason: 'the SSD' };
    return { path: fallback, reason: `the data partition: ${obstacle}` };
  }

  /** Which disk for takes does not answer, and what to do; null if all that are there do. */
  get silence(): string | null {
    const { ssd } = this.#options;
    return ssd !== null && deviceAt(ssd) !== null && gateOf(ssd).silentMs !== null
      ? `${silent}; takes go to the data partition meanwhile`
      : null;
  }

  /** Every folder that may contain takes, first the folder of the next one. */
  all(): [string, ...string[]] {
    const { path } = this.current();
    const { fallback } = this.#options;
    return path === fallback ? [path] : [path, fallback];
  }

  /** Why masters cannot lie on what is mounted at a folder; null if they can. */
  #whyNoDisk(mount: string, notes: string): string | null {
    const device = deviceAt(mount);
    if (device === null) return whyNotUsed(notes);
    if (performance.now() - this.#lookedAtMs > lookEveryMs) void this.look();
    if (gateOf(mount).silentMs !== null) return silent;
    return this.#look?.device === device ? this.#look.obstacle : 'the SSD is being looked at';
  }

  async #ask(): Promise<void> {
    const { ssd } = this.#options;
    const device = ssd === null ? null : deviceAt(ssd);
    if (ssd === null || device === null) return;
    this.#look = { device, obstacle: await obstacleOn(ssd) };
  }
}

const silent = 'the SSD does not answer: check its plug and its power';

/** What is mounted at a folder; null if nothing is. */
function deviceAt(folder: string): string | null {
  const mount = mountOf(folder, mounts());
  return mount?.path === folder ? mount.device : null;
}

async function obstacleOn(mount: string): Promise<string | null> {
  try {
    await access(mount, constants.W_OK);
    // A link would lead away from the disk to a place that the disk's writer chose.
    const found = await ifThere(lstat(join(mount, 'takes')));
    return found === null || found.isDirectory() ? null : '"takes" on the SSD is not a folder';
  } catch (error) {
    if (error instanceof DiskSilentError) return silent;
    if (errorCode(error) === 'EROFS')
      return 'the SSD can only be read: it is write-protected or has errors; check it on a computer';
    return 'the SSD cannot be written to';
  }
}

/** Why disks that are present are not used (usr/libexec/rushlight/ssd writes a file for each). */
function whyNotUsed(notes: string): string {
  try {
    const lines = readdirSync(notes).map((name) =>
      readFileSync(join(notes, name), 'utf8').trim().slice(0, 200),
    );
    return lines.length === 0 ? 'no SSD is mounted' : lines.join('; ');
  } catch {
    return 'no SSD is mounted'; // no disk was ever plugged, or one was pulled just now
  }
}
