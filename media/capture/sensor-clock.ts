import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { ChildHost } from '../../common/child-host.ts';
import { ifThere } from '../../common/files.ts';
import { pause } from '../../common/pause.ts';
import { type PtsAddition, PtsTail } from './pts-tail.ts';

/** A frame that rpicam-vid delivered. */
export interface SensorTick {
  /** When the sensor took it, in milliseconds since the first frame of its pipeline. */
  readonly timeMs: number;
  /** Wall clock just after it was delivered, in milliseconds since 1970; null if no one looked in time. */
  readonly deliveredAtMs: number | null;
  /** Counts the frames of its pipeline from 0. */
  readonly number: number;
  /** Which pipeline delivered it; supervisors that watch one after another give the same number. */
  readonly pipeline: string;
}

/** The file to follow. */
export interface SensorClockOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  /** Source id. */
  readonly id: string;
  /** The file that rpicam-vid writes; a new pipeline removes its predecessor's. */
  readonly file: string;
  /** Bytes of read lines that may remain in the file before their space is released. Default 512 KiB: 20 minutes of 30 fps. */
  readonly trimBytes?: number;
}

const lookMs = 500;
/** Two minutes of 30 fps: recorders read twice a second. */
const keptTicks = 4096;
const defaultTrimBytes = 512 * 1024;

/** Follows the times that the pipelines of a camera module write for their frames (`--save-pts`), and keeps the last ones. */
export class SensorClock {
  readonly #options: SensorClockOptions;
  readonly #ticks: SensorTick[] = [];
  /** How many ticks came before those kept. */
  #forgotten = 0;
  #looking: Promise<void> = Promise.resolve();
  #ended = false;
  #tail: PtsTail | undefined;
  #tried: bigint | undefined;
  /** A file that cannot be read, or contains something else; reported once. */
  #refused: bigint | undefined;

  constructor(options: SensorClockOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts. Never rejects: read errors are logged; frames are dated by their arrival then. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      // An abort only ends the pause early.
      await pause(lookMs, signal);
    }
    await this.look();
    this.#ended = true;
    await this.#close();
  }

  /** Reads what was written until now. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookOrWarn());
    return this.#looking;
  }

  /** The ticks since `next` of an earlier call; from 0, all that are kept. */
  since(next: number): { readonly ticks: readonly SensorTick[]; readonly next: number } {
    const from = Math.max(0, next - this.#forgotten);
    return { ticks: this.#ticks.slice(from), next: this.#forgotten + this.#ticks.length };
  }

  async #lookOrWarn(): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#read();
    } catch (error) {
      const { id, file, logger } = this.#options;
      logger.warn({ err: error, source: id, file }, 'the times of the sensor cannot be read');
      // It stays open: as long as it is, no other file gets its number.
      this.#refused = this.#tried;
    }
  }

  async #read(): Promise<void> {
    const { file, host, id, trimBytes = defaultTrimBytes } = this.#options;
    const inode = await inodeOf(file);
    // The rest from a pipeline that ended is read before its successor's file.
    if (this.#tail !== undefined && this.#tail.inode !== this.#refused) this.#keep(await this.#tail.read());
    if (inode !== undefined && inode !== this.#tail?.inode && inode !== this.#refused) {
      await this.#close();
      this.#tried = inode;
      this.#tail = await PtsTail.open(file);
      this.#keep(await this.#tail.read());
    }
    if (this.#tail?.inode !== this.#refused) await this.#tail?.trim(host, `trim-${id}`, trimBytes);
  }

  #keep({ first, timesMs, writtenAtMs }: PtsAddition): void {
    const last = timesMs.length - 1;
    const pipeline = `${this.#tail?.inode}`;
    for (const [index, timeMs] of timesMs.entries()) {
      const deliveredAtMs = index === last ? writtenAtMs : null;
      this.#ticks.push({ timeMs, deliveredAtMs, number: first + index, pipeline });
    }
    this.#forgotten += this.#ticks.splice(0, Math.max(0, this.#ticks.length - keptTicks)).length;
  }

  async #close(): Promise<void> {
    await this.#tail?.[Symbol.asyncDispose]();
    this.#tail = undefined;
  }
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await ifThere(stat(path, { bigint: true })))?.ino;
}
