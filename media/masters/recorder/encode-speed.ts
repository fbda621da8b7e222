import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, freemem } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ChildHost } from '../../../common/child-host.ts';
import { errorCode } from '../../../common/errors.ts';
import { writeFileAtomic } from '../../../common/files.ts';
import type { RawStream } from '../../capture/types.ts';
import { FfmpegError } from '../errors.ts';
import { encodeProbeArgv, type MasterCodec, probePictureArgv } from './recorder-command.ts';
import { runFfmpeg } from './run-ffmpeg.ts';

/** Where measurements are made and kept. */
export interface EncodeSpeedOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  /** JSON file for the measurements. */
  readonly cacheFile: string;
  /** Folder for the frames of a measurement; ideally a tmpfs. */
  readonly scratch: string;
  /** Changes when a measurement is no longer valid: the version of the product. */
  readonly version: string;
  /** Bytes of free memory. Default: what the system says. */
  readonly freeMemory?: () => number;
}

const cacheSchema = z.object({
  version: z.string(),
  machine: z.string(),
  framesPerSecond: z.record(z.string(), z.number().positive().max(100_000)),
});

type Cache = z.infer<typeof cacheSchema>;

/** Frames of one measurement: few, as slow boards make fewer than ten a second. */
const probeFrames = 20;
/** The frames of a measurement take this many times their size in memory: themselves on the tmpfs, and the encoder's threads. */
const memoryFactor = 4;

/** Measures, once per geometry and version, how fast this machine compresses masters. */
export class EncodeSpeed {
  readonly #options: EncodeSpeedOptions;
  readonly #inTurn = pLimit(1);
  /** Geometries that could not be measured, and are not tried again. */
  readonly #unmeasurable = new Set<string>();
  /** Asked every few seconds, for how long the disk will last: the file is read once. */
  #cache: Promise<Cache> | null = null;

  constructor(options: EncodeSpeedOptions) {
    this.#options = options;
  }

  /** Frames per second of an earlier measurement; null if there is none. */
  async known(codec: MasterCodec, raw: RawStream, threads: number): Promise<number | null> {
    return (await this.#read()).framesPerSecond[keyOf(codec, raw, threads)] ?? null;
  }

  /**
   * Measures unless it is known; null if it could not be measured, or memory is short now. One measurement runs at a time.
   * Rejects with the signal's reason.
   */
  measured(codec: MasterCodec, raw: RawStream, threads: number, signal: AbortSignal): Promise<number | null> {
    return this.#inTurn(() => this.#lookUp(codec, raw, threads, signal));
  }

  async #lookUp(codec: MasterCodec, raw: RawStream, threads: number, signal: AbortSignal) {
    const key = keyOf(codec, raw, threads);
    const cache = await this.#read();
    const known = cache.framesPerSecond[key];
    if (known !== undefined) return known;
    if (this.#unmeasurable.has(key) || this.#isMemoryShort(raw)) return null;
    const framesPerSecond = await this.#measure(codec, raw, threads, signal);
    if (framesPerSecond === null) {
      this.#unmeasurable.add(key);
      return null;
    }
    const next = { ...cache, framesPerSecond: { ...cache.framesPerSecond, [key]: framesPerSecond } };
    this.#cache = Promise.resolve(next);
    await writeFileAtomic(this.#options.cacheFile, `${JSON.stringify(next, null, 2)}\n`);
    this.#options.logger.info({ key, framesPerSecond }, 'measured compression of masters');
    return framesPerSecond;
  }

  async #measure(codec: MasterCodec, raw: RawStream, threads: number, signal: AbortSignal) {
    const folder = await mkdtemp(join(this.#options.scratch, 'encode-speed-'));
    const picture = join(folder, 'frames.nut');
    const run = (name: string, argv: readonly [string, ...string[]]) =>
      runFfmpeg(this.#options.host, name, argv, signal);
    try {
      await run('measure-picture', probePictureArgv(picture, raw, probeFrames));
      const settings = { codec, raw, threads };
      // The cost of a start is measured, too, and subtracted.
      const idleMs = await timed(() => run('measure-start', encodeProbeArgv(picture, settings, 1)));
      const busyMs = await timed(() => run('measure-codec', encodeProbeArgv(picture, settings, probeFrames)));
      return ((probeFrames - 1) * 1000) / Math.max(1, busyMs - idleMs);
    } catch (error) {
      if (!(error instanceof FfmpegError)) throw error;
      this.#options.logger.warn({ err: error }, 'compression of masters could not be measured');
      return null;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #isMemoryShort({ width, height }: RawStream): boolean {
    const free = (this.#options.freeMemory ?? freemem)();
    return free < width * height * 2 * probeFrames * memoryFactor;
  }

  #read(): Promise<Cache> {
    this.#cache ??= this.#readFile();
    return this.#cache;
  }

  /** A cache that is missing, damaged or from another version or machine counts as empty. */
  async #readFile(): Promise<Cache> {
    const { version } = this.#options;
    const machine = `${availableParallelism()} x ${cpus()[0]?.model ?? process.arch}`;
    const empty: Cache = { version, machine, framesPerSecond: {} };
    try {
      const cache = cacheSchema.parse(JSON.parse(await readFile(this.#options.cacheFile, 'utf8')));
      return cache.version === version && cache.machine === machine ? cache : empty;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        this.#options.logger.warn({ err: error }, 'measurements cannot be read; measuring again');
      }
      return empty;
    }
  }
}

function keyOf(codec: MasterCodec, raw: RawStream, threads: number): string {
  return `${codec} ${raw.width}x${raw.height} ${raw.pixelFormat} ${threads} threads`;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
