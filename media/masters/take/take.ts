import { basename, join } from 'node:path';
import pLimit from 'p-limit';
import { makeFolder, syncFolder } from '../../../common/disk-fs.ts';
import { errorCode } from '../../../common/errors.ts';
import { replaceTakeFile } from '../disk/atomic-file.ts';
import { requireFolder, textOf } from '../disk/disk-file.ts';
import { isDiskTrouble } from '../disk/disk-trouble.ts';
import { TakeDamagedError, TakeManifestError } from '../errors.ts';
import type { SegmentFiles } from '../recorder/recorder-command.ts';
import { damagedManifest, fallbackId, isTakeFolderName } from './damaged-take.ts';
import {
  type CameraRecord,
  type TakeManifest,
  takeManifestSchema,
  takeState,
  withTotals,
} from './manifest.ts';

/** In the folder of each take; a folder without it is not a take. */
export const manifestName = 'take.json';
/** Hundreds of times what the longest take has. */
const maxManifestBytes = 32 * 1024 * 1024;

/** The one owner of a take's take.json while the program runs: changes are made one after another, each atomically. */
export class Take {
  readonly folder: string;
  /** Why take.json cannot be understood; null if it can. Otherwise the take can only be listed, downloaded and removed. */
  readonly damage: string | null;
  #current: TakeManifest;
  readonly #inTurn = pLimit(1);

  constructor(folder: string, manifest: TakeManifest, damage: string | null = null) {
    this.folder = folder;
    this.damage = damage;
    this.#current = manifest;
  }

  /**
   * Reads a take from disk, as damaged if its take.json cannot be understood. Undefined if there is no take. Rejects with the
   * system's error if the disk fails, and with StrangeFileError if the folder is not one.
   * @param isTaken whether another take has an id already
   */
  static async open(
    folder: string,
    isTaken: (id: string) => boolean = () => false,
  ): Promise<Take | undefined> {
    await requireFolder(folder);
    try {
      const manifest = await readManifest(folder);
      if (manifest === undefined) return undefined;
      for (const camera of Object.keys(manifest.cameras)) await requireCameraFolder(folder, camera);
      return new Take(folder, manifest);
    } catch (error) {
      if (!(error instanceof TakeManifestError)) throw error;
      const manifest = await damagedManifest(folder, error.message);
      const id = isTaken(manifest.id) ? fallbackId(basename(folder)) : manifest.id;
      return new Take(folder, { ...manifest, id }, error.message);
    }
  }

  /** Makes the folder and take.json of a new take. */
  static async create(folder: string, manifest: TakeManifest): Promise<Take> {
    await makeFolder(folder);
    await syncFolder(join(folder, '..'));
    const take = new Take(folder, manifest);
    await take.update((old) => old);
    return take;
  }

  get manifest(): TakeManifest {
    return this.#current;
  }

  /**
   * Replaces take.json by the result of `change`. Rejects if it cannot be written; `manifest` is changed anyway, because the
   * truth does not depend on the disk.
   */
  update(change: (manifest: TakeManifest) => TakeManifest): Promise<void> {
    if (this.damage !== null)
      return Promise.reject(new TakeDamagedError(`take ${this.#current.id}: ${this.damage}`));
    return this.#inTurn(async () => {
      const next = change(this.#current);
      const states = Object.values(next.cameras).map(({ state }) => state);
      const whole = takeManifestSchema.parse({ ...next, state: takeState(states, next.wanted) });
      try {
        await replaceTakeFile(join(this.folder, manifestName), `${JSON.stringify(whole, null, 2)}\n`);
      } finally {
        this.#current = whole;
      }
    });
  }

  /** Replaces what take.json says about one camera, and recomputes the sums. */
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
      master: `${stem}.mkv`,
      spool: `${stem}.raw.nut`,
      reference: `${stem}.framemd5`,
      sensorLog: `${stem}.sensor`,
      sensorTimes: `${stem}.pts`,
    };
  }
}

/** @throws TakeManifestError if something else is in its place, such as a link to another place */
async function requireCameraFolder(folder: string, camera: string): Promise<void> {
  try {
    await requireFolder(join(folder, camera));
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return;
    if (isDiskTrouble(cause)) throw cause;
    throw new TakeManifestError(`the folder of ${camera} is not a folder`, { cause });
  }
}

/** `0001` of segment 1. */
export function segmentStem(segment: number): string {
  return `${segment}`.padStart(4, '0');
}

/**
 * Reads take.json; undefined if there is none in a folder without a take's name. Rejects with the system's error if the disk
 * fails.
 * @throws TakeManifestError
 */
async function readManifest(folder: string): Promise<TakeManifest | undefined> {
  const path = join(folder, manifestName);
  let text: string | undefined;
  try {
    text = await textOf(path, maxManifestBytes);
  } catch (cause) {
    if (isDiskTrouble(cause)) throw cause;
    throw new TakeManifestError('something else is in its place', { cause });
  }
  if (text === undefined) {
    if (!isTakeFolderName(basename(folder))) return undefined;
    throw new TakeManifestError('the file is missing');
  }
  return parseManifest(text);
}

/** @throws TakeManifestError */
export function parseManifest(text: string): TakeManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TakeManifestError(text === '' ? 'it is empty' : 'it is not JSON', { cause });
  }
  const parsed = takeManifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new TakeManifestError(`${where === '' ? 'it' : where} is not what it should be`, {
    cause: parsed.error,
  });
}
