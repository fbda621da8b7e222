import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileAtomic } from './atomic-file.ts';
import { TakeManifestError } from './errors.ts';
import {
  type CameraRecord,
  type TakeManifest,
  takeManifestSchema,
  takeState,
  withTotals,
} from './manifest.ts';
import type { SegmentFiles } from './recorder-command.ts';

/** In the folder of each take; without it a folder is no take. */
export const manifestName = 'take.json';

/** The one holder of a take's take.json while the program runs: changes are made one after another, each atomically. */
export class Take {
  readonly folder: string;
  private current: TakeManifest;
  private writing: Promise<void> = Promise.resolve();

  constructor(folder: string, manifest: TakeManifest) {
    this.folder = folder;
    this.current = manifest;
  }

  /** Reads a take from disk. @throws TakeManifestError */
  static async open(folder: string): Promise<Take> {
    return new Take(folder, await readManifest(folder));
  }

  /** Makes the folder and take.json of a new take. */
  static async create(folder: string, manifest: TakeManifest): Promise<Take> {
    await mkdir(folder, { recursive: true });
    await syncFolder(join(folder, '..'));
    const take = new Take(folder, manifest);
    await take.update((old) => old);
    return take;
  }

  get manifest(): TakeManifest {
    return this.current;
  }

  /**
   * Replaces take.json by what `change` makes of it. Rejects where it cannot be written; what `manifest` says is changed all the
   * same, since what is true does not depend on the disk.
   */
  update(change: (manifest: TakeManifest) => TakeManifest): Promise<void> {
    const changed = this.writing.then(async () => {
      const next = change(this.current);
      const states = Object.values(next.cameras).map(({ state }) => state);
      const whole = takeManifestSchema.parse({ ...next, state: takeState(states, next.wanted) });
      try {
        await writeFileAtomic(join(this.folder, manifestName), `${JSON.stringify(whole, null, 2)}\n`);
      } finally {
        this.current = whole;
      }
    });
    // The next change must be tried also where this one failed; whoever asked for this one hears of it.
    this.writing = changed.catch(() => {});
    return changed;
  }

  /** Replaces what take.json says about one camera; sums are recomputed. */
  updateCamera(camera: string, change: (record: CameraRecord) => CameraRecord): Promise<void> {
    return this.update((manifest) => {
      const record = manifest.cameras[camera];
      if (record === undefined) throw new TakeManifestError(`${manifest.id} has no camera ${camera}`);
      return { ...manifest, cameras: { ...manifest.cameras, [camera]: withTotals(change(record)) } };
    });
  }

  /** Where the files of a segment lie. */
  files(camera: string, segment: number): SegmentFiles {
    const stem = join(this.folder, camera, segmentStem(segment));
    return {
      ...{ master: `${stem}.mkv`, spool: `${stem}.raw.nut`, reference: `${stem}.framemd5` },
      ...{ sensorLog: `${stem}.sensor`, sensorTimes: `${stem}.pts` },
    };
  }
}

/** `0001` of segment 1. */
export function segmentStem(segment: number): string {
  return `${segment}`.padStart(4, '0');
}

/** Reads take.json. @throws TakeManifestError */
export async function readManifest(folder: string): Promise<TakeManifest> {
  const path = join(folder, manifestName);
  try {
    return takeManifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new TakeManifestError(`${path} cannot be read as a take`, { cause });
  }
}
