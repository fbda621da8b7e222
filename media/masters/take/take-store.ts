import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { list, removeFolder } from '../../../common/disk-fs.ts';
import { errorCode } from '../../../common/errors.ts';
import { asDiskError } from '../disk/disk.ts';
import { openRegular, requireFolder } from '../disk/disk-file.ts';
import { isDiskTrouble } from '../disk/disk-trouble.ts';
import {
  StrangeFileError,
  TakeIdError,
  TakeNotFoundError,
  TakeRemovalError,
  TakeUnfinishedError,
} from '../errors.ts';
import type { TakeManifest } from './manifest.ts';
import { manifestName, Take } from './take.ts';

const plainId = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Where takes lie. */
export interface TakeStoreOptions {
  readonly logger: Logger;
  /**
   * The folders in which takes may lie now, one folder per take in them: a disk can come and go. New takes go into the
   * first.
   */
  readonly roots: () => readonly [string, ...string[]];
}

const unfinishedStates = ['starting', 'recording', 'finishing'];

/** All takes on disk. Keeps each take once, so that its take.json has one writer. */
export class TakeStore {
  readonly #options: TakeStoreOptions;
  readonly #open = new Map<string, Take>();
  /** Folders whose take.json is about to be written. */
  readonly #creating = new Set<string>();
  /** What the log already says about folders, by folder. */
  readonly #reported = new Map<string, string>();
  #unread = false;

  constructor(options: TakeStoreOptions) {
    this.#options = options;
  }

  /** Where the next take goes; its file system is the one that fills. */
  get root(): string {
    return this.#options.roots()[0];
  }

  /** Makes a take without cameras; each recorder adds its own. @throws TakeIdError, DiskUnavailableError */
  async createTake(id: string, startUtc: Date): Promise<Take> {
    if (!plainId.test(id))
      throw new TakeIdError(`"${id}" names no take: lower-case letters, digits and hyphens do`);
    if ((await this.#find(id)) !== undefined) throw new TakeIdError(`there is a take ${id} already`);
    const folder = join(this.root, takeFolderName(id, startUtc));
    this.#creating.add(folder);
    try {
      const take = await this.#make(folder, {
        version: 1,
        id,
        startedAt: startUtc.toISOString(),
        stoppedAt: null,
        wanted: true,
        state: 'starting',
        cameras: {},
      });
      this.#open.set(id, take);
      return take;
    } finally {
      this.#creating.delete(folder);
    }
  }

  async #make(folder: string, manifest: TakeManifest): Promise<Take> {
    try {
      return await Take.create(folder, manifest);
    } catch (error) {
      // Without take.json it is not a take, and could not be deleted.
      await removeFolder(folder).catch((cause: unknown) =>
        this.#options.logger.warn({ err: cause, folder }, 'the folder of a take that did not begin stays'),
      );
      throw asDiskError(error);
    }
  }

  /** All takes, newest first, including damaged ones. Other folders are left out. Never rejects. */
  async list(): Promise<TakeManifest[]> {
    await this.#load();
    const manifests = [...this.#open.values()].map(({ manifest }) => manifest);
    return manifests.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt));
  }

  /** @throws TakeNotFoundError */
  async get(id: string): Promise<Take> {
    const take = await this.#find(id);
    if (take === undefined) throw new TakeNotFoundError(`there is no take ${id}`);
    return take;
  }

  /**
   * Path of a finished master, for download. Nothing of the request becomes part of a path: it only selects among what
   * take.json lists.
   * @throws TakeNotFoundError
   */
  async masterPath(id: string, camera: string, segment: number): Promise<{ path: string; fileName: string }> {
    const take = await this.get(id);
    const cameras = new Map(Object.entries(take.manifest.cameras));
    const found = cameras.get(camera)?.segments.find(({ number }) => number === segment);
    if (found?.state !== 'closed') {
      throw new TakeNotFoundError(`take ${id} has no finished master ${segment} of camera ${camera}`);
    }
    const { master } = take.files(camera, segment);
    try {
      await requireFolder(take.folder);
      await requireFolder(dirname(master));
      await using _handle = await openRegular(master);
    } catch (cause) {
      throw new TakeNotFoundError(`the master ${segment} of camera ${camera} in take ${id} cannot be read`, {
        cause,
      });
    }
    return { path: master, fileName: `${id}-${camera}-${basename(master)}` };
  }

  /** All takes on the disks that are present, including damaged ones. */
  async all(): Promise<readonly Take[]> {
    await this.#load();
    return [...this.#open.values()];
  }

  /** Whether a disk failed when the takes were last read: there may be more of them than are known. */
  get isUnread(): boolean {
    return this.#unread;
  }

  /** The folders in which takes may lie now. */
  get roots(): readonly string[] {
    return this.#options.roots();
  }

  /**
   * Removes a take and its masters from the disk. take.json goes last: what a power cut or a failing disk leaves is still a
   * take, which can be removed again.
   * @throws TakeNotFoundError, TakeUnfinishedError, TakeRemovalError
   */
  async remove(id: string): Promise<void> {
    const { folder, manifest } = await this.get(id);
    if (unfinishedStates.includes(manifest.state)) {
      throw new TakeUnfinishedError(`take ${id} is still being recorded or finished`);
    }
    try {
      // For a link only its target would be removed.
      await requireFolder(folder);
      const names = await list(folder);
      for (const name of names.filter((one) => one !== manifestName)) {
        await removeFolder(join(folder, name));
      }
      await removeFolder(folder);
    } catch (cause) {
      throw new TakeRemovalError(`take ${id} could not be removed from its disk`, { cause });
    }
    this.#open.delete(id);
  }

  /** Takes that an earlier run of the program did not finish, or could not: not everything recorded is a master yet. */
  async unfinished(): Promise<Take[]> {
    await this.#load();
    return [...this.#open.values()].filter(
      ({ manifest, damage }) => damage === null && isUnfinished(manifest),
    );
  }

  async #find(id: string): Promise<Take | undefined> {
    if (!this.#open.has(id)) await this.#load();
    return this.#open.get(id);
  }

  /**
   * Reads the takes that are not known yet, and forgets those whose folder is gone. A take that is not finished and whose disk
   * is away is kept, because it must be possible to end it. So are takes on a disk that fails just now.
   */
  async #load(): Promise<void> {
    const roots = this.#options.roots();
    // Before the disks are read: a take that begins meanwhile is not in their list, and not gone.
    const known = [...this.#open.values()].filter(({ damage }) => damage === null);
    const listed = await Promise.all(roots.map((root) => this.#foldersIn(root)));
    const folders = listed.flatMap((found) => found ?? []);
    const failing = roots.filter((_, index) => listed[index] === null);
    this.#unread = failing.length > 0;
    // A damaged one is checked again each time: it may have been repaired.
    for (const [id, { damage }] of this.#open) if (damage !== null) this.#open.delete(id);
    for (const { folder, manifest } of known) {
      const isAway = !roots.includes(dirname(folder)) && unfinishedStates.includes(manifest.state);
      const isUnread = failing.includes(dirname(folder));
      if (!folders.includes(folder) && !isAway && !isUnread) this.#open.delete(manifest.id);
    }
    const fresh = folders.filter((folder) => known.every((take) => take.folder !== folder));
    for (const folder of fresh) {
      if (this.#creating.has(folder)) continue;
      const take = await this.#read(folder);
      if (take !== undefined && !this.#open.has(take.manifest.id)) this.#open.set(take.manifest.id, take);
    }
  }

  /** A disk may contain anything: a problem with one folder affects no other. */
  async #read(folder: string): Promise<Take | undefined> {
    try {
      const take = await Take.open(folder, (id) => this.#open.has(id));
      if (take !== undefined && take.damage !== null) this.#tell(folder, take.damage, 'a take is damaged');
      return take;
    } catch (error) {
      if (isDiskTrouble(error)) this.#unread = true;
      const { message } = error as Error;
      if (!(error instanceof StrangeFileError)) this.#tell(folder, message, 'a take cannot be read', error);
      return undefined;
    }
  }

  #tell(folder: string, reason: string, what: string, error?: unknown): void {
    if (this.#reported.get(folder) === reason) return;
    this.#reported.set(folder, reason);
    this.#options.logger.warn({ err: error, folder, reason }, what);
  }

  /** The content of a folder of takes; empty if there is none yet, or its disk is away; null if it cannot be listed. */
  async #foldersIn(root: string): Promise<string[] | null> {
    try {
      return (await list(root)).map((name) => join(root, name));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      this.#options.logger.error({ err: error, root }, 'the takes of a disk cannot be listed');
      return null;
    }
  }
}

function isUnfinished({ state, cameras }: TakeManifest): boolean {
  const segments = Object.values(cameras).flatMap((camera) => camera.segments);
  return unfinishedStates.includes(state) || segments.some((segment) => segment.state !== 'closed');
}

/** `20261122T120000Z-<id>`. */
export function takeFolderName(id: string, startUtc: Date): string {
  const compact = startUtc.toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${compact}Z-${id}`;
}
