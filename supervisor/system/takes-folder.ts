import { accessSync, constants, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** Finds the disk for takes. It looks each time it is asked, because an SSD comes and goes. */
export class TakesFolders {
  readonly #options: TakesFoldersOptions;

  constructor(options: TakesFoldersOptions) {
    this.#options = options;
  }

  /** The next take goes there. A take stays where it began. */
  current(): TakesFolder {
    const { settings, configFile, fallback, ssd, notes = '/run/rushlight-disks' } = this.#options;
    const { path } = settings();
    if (path !== 'auto')
      return { path: join(resolveConfigPath(configFile, path), 'takes'), reason: 'as set' };
    if (ssd === null) return { path: fallback, reason: 'the data folder' };
    const obstacle = whyNoDisk(ssd, notes);
    if (obstacle === null) return { path: join(ssd, 'takes'), reason: 'the SSD' };
    return { path: fallback, reason: `the data partition: ${obstacle}` };
  }

  /** Every folder that may contain takes, first the folder of the next one. */
  all(): [string, ...string[]] {
    const { path } = this.current();
    const { fallback } = this.#options;
    return path === fallback ? [path] : [path, fallback];
  }
}

/** Why masters cannot lie on what is mounted at a folder; null if they can. */
function whyNoDisk(mount: string, notes: string): string | null {
  try {
    if (statSync(mount).dev === statSync(dirname(mount)).dev) return whyNotUsed(notes);
    accessSync(mount, constants.W_OK);
    // A link would lead away from the disk to a place that the disk's writer chose.
    const found = lstatSync(join(mount, 'takes'), { throwIfNoEntry: false });
    if (found !== undefined && !found.isDirectory()) return '"takes" on the SSD is not a folder';
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return whyNotUsed(notes);
    if (code === 'EROFS')
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
