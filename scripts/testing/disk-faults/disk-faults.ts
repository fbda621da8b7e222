import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a rule applies to; disk-faults.c says which functions each stands for. */
export type DiskOperation =
  | 'write'
  | 'sync'
  | 'open'
  | 'create'
  | 'openread'
  | 'read'
  | 'rename'
  | 'remove'
  | 'truncate'
  | 'close'
  | 'stat'
  | 'any';
/** Errors of a disk. */
export type DiskError = 'EIO' | 'ENOSPC' | 'EROFS' | 'EDQUOT' | 'ENODEV' | 'EACCES' | 'EMFILE';

/** A line of the control file. */
export type DiskRule =
  `${DiskOperation} ${DiskError | `delay ${number}` | `short ${number}` | 'hang'}${string}`;

/** A disk that no longer accepts writes, as a program and as the kernel see it. */
export function nothingIsWritten(error: DiskError, only = ''): readonly DiskRule[] {
  const where = only === '' ? '' : ` only ${only}`;
  const operations = ['write', 'sync', 'create', 'rename', 'truncate'] as const;
  return operations.map((operation): DiskRule => `${operation} ${error}${where}`);
}

/** A disk that does not answer. */
export const nothingIsAnswered: readonly DiskRule[] = [
  'any hang',
  'openread hang',
  'read hang',
  'close hang',
  'stat hang',
];

/**
 * A folder whose disk fails on demand, for programs that are started with `environment`. The machine's compiler builds the
 * library when it is needed.
 */
export class DiskFaults implements AsyncDisposable {
  /** Only files below it are affected. */
  readonly folder: string;
  readonly #tools: string;

  private constructor(folder: string, tools: string) {
    this.folder = folder;
    this.#tools = tools;
  }

  /** @param folder must be there already */
  static async over(folder: string): Promise<DiskFaults> {
    const tools = await mkdtemp(join(tmpdir(), 'disk-faults-'));
    const faults = new DiskFaults(await realpath(folder), tools);
    const source = join(import.meta.dirname, 'disk-faults.c');
    await run('cc', ['-shared', '-fPIC', '-O2', '-o', faults.#library, source, '-ldl']);
    await faults.set([]);
    return faults;
  }

  /** What a program needs to be reached. */
  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      DISK_FAULTS_FOLDER: this.folder,
      DISK_FAULTS_CONTROL: this.#control,
    };
  }

  /** From now on the disk does this, also to programs that already run. */
  async set(rules: readonly DiskRule[]): Promise<void> {
    const next = `${this.#control}.next`;
    await writeFile(next, rules.map((rule) => `${rule}\n`).join(''));
    await rename(next, this.#control);
  }

  /** The disk works again. */
  heal(): Promise<void> {
    return this.set([]);
  }

  /** An error that passes. */
  async during(ms: number, rules: readonly DiskRule[]): Promise<void> {
    await this.set(rules);
    await sleep(ms);
    await this.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#tools, { recursive: true, force: true });
  }

  get #library(): string {
    return join(this.#tools, 'disk-faults.so');
  }

  get #control(): string {
    return join(this.#tools, 'control');
  }
}
