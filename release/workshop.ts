import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { heartbeat } from './heartbeat.ts';
import { productVersion } from './version.ts';

/** Processors that releases are built for. */
export const architectures = ['amd64', 'arm64'] as const;
/** See {@link architectures}. */
export type Architecture = (typeof architectures)[number];

/** What to build, and where. */
export interface ReleaseOptions {
  readonly out: string;
  readonly keys: string;
  readonly cache: string;
  readonly architectures: readonly Architecture[];
  /** Where the files will be fetched from, without a slash at the end. */
  readonly baseUrl: string;
  /** The channel as it was published last; null: there was none. */
  readonly channelBefore: string | null;
  /** Compresses little: for trying things out. */
  readonly fast: boolean;
}

/** Where a release is made: its folders, and how its scripts are run. */
export class Workshop {
  readonly options: ReleaseOptions;
  readonly source: string;
  readonly version = productVersion();
  /** Seconds that each step took. */
  readonly took = new Map<string, number>();
  /** What the release lacks, and why. */
  readonly leftOut: string[] = [];
  readonly created: Date;

  constructor(source: string, options: ReleaseOptions) {
    this.source = source;
    this.options = options;
    this.created = new Date(
      Number(process.env.SOURCE_DATE_EPOCH ?? this.git('log', '-1', '--format=%ct')) * 1000,
    );
  }

  /** In dist/. */
  file(name: string): string {
    return join(this.options.out, name);
  }

  /** What a later run of the same sources can use; not delivered. */
  work(name: string): string {
    const folder = join(this.options.cache, 'release', name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** One step of a release; says now and then that it is still at it. */
  async step(name: string, run: () => void | Promise<void>): Promise<void> {
    const startedAt = performance.now();
    process.stdout.write(`== ${name}\n`);
    {
      using _ = heartbeat(name);
      await run();
    }
    this.took.set(name, (performance.now() - startedAt) / 1000);
  }

  /** States something that the release lacks; it stands at the end of what the run prints. */
  leaveOut(what: string): void {
    process.stdout.write(`${what}\n`);
    this.leftOut.push(what);
  }

  async pack(...args: string[]): Promise<void> {
    await this.run(join(this.source, 'release', 'pack'), [...args, ...(this.options.fast ? ['--fast'] : [])]);
  }

  async image(...args: string[]): Promise<void> {
    await this.run(join(this.source, 'image', 'build'), args);
  }

  /** Runs a program whose output people see; throws if it fails. */
  async run(program: string, args: readonly string[]): Promise<void> {
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: this.#environment(),
      cwd: this.source,
    });
    const [status, signal] = await once(child, 'exit');
    if (status !== 0)
      throw new Error(`${program} ${args[0] ?? ''} ended with ${status ?? signal}; see above`);
  }

  /** What a program prints, without the line end; throws if it fails. */
  read(program: string, args: readonly string[]): string {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      encoding: 'utf8',
      env: this.#environment(),
      cwd: this.source,
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
    return stdout.trim();
  }

  git(...args: string[]): string {
    return this.read('git', ['-C', this.source, ...args]);
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      RUSHLIGHT_CACHE: this.options.cache,
      RUSHLIGHT_RELEASE_KEYS: this.options.keys,
      ...(this.created === undefined ? {} : { SOURCE_DATE_EPOCH: String(this.created.getTime() / 1000) }),
    };
  }
}

/** SHA-256 of a file, in hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  return hash.digest('hex');
}
