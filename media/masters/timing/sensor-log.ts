import { constants } from 'node:fs';
import type { Logger } from 'pino';
import { type DiskFile, open } from '../../../common/disk-fs.ts';
import type { SensorClock, SensorTick } from '../../capture/sensor-clock.ts';

/** Frames may be waiting in the queue behind the camera when a recorder starts. */
const leadMs = 5000;
const tickLine = /^(\w+) (\d+) (\d+(?:\.\d+)?) (\d+(?:\.\d+)?|-)$/;

/**
 * Keeps what the sensor's clock of a camera reported while a segment was recorded, in a file beside the segment: a line per
 * delivered frame, whether it reached the recorder or not. It outlives the program, which matches the two when it closes the
 * segment.
 */
export class SensorLog implements AsyncDisposable {
  readonly #file: string;
  readonly #clockOf: () => SensorClock | undefined;
  readonly #logger: Logger;
  /** Whether frames from before this moment belong to the segment, because an earlier run of the program began it. */
  #resumed: boolean;
  #clock: SensorClock | undefined;
  #next = 0;
  #handle: DiskFile | undefined;
  #broken = false;

  constructor(
    file: string,
    clockOf: () => SensorClock | undefined,
    how: { readonly resumed: boolean; readonly logger: Logger },
  ) {
    this.#file = file;
    this.#clockOf = clockOf;
    this.#resumed = how.resumed;
    this.#logger = how.logger;
  }

  /** Adds what was reported since the last time, and syncs. A file that cannot be written is no reason to end a recording. */
  async poll(): Promise<void> {
    if (this.#broken) return;
    try {
      await this.#add();
    } catch (error) {
      this.#broken = true;
      this.#logger.warn({ err: error, file: this.#file }, 'the times of the sensor cannot be kept');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    try {
      await handle?.close();
    } catch (error) {
      this.#logger.warn({ err: error, file: this.#file }, 'the times of the sensor may not all be kept');
    }
  }

  async #add(): Promise<void> {
    const clock = this.#clockOf();
    if (clock === undefined) return;
    await clock.look();
    const another = clock !== this.#clock;
    const { ticks, next } = clock.since(another ? 0 : this.#next);
    const leads = another && !this.#resumed;
    [this.#clock, this.#next, this.#resumed] = [clock, next, false];
    const recent = leads ? ticks.filter(isRecent(ticks.at(-1))) : ticks;
    if (recent.length === 0) return;
    this.#handle ??= await open(
      this.#file,
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
      0o644,
    );
    await this.#handle.writeFile(recent.map(lineOf).join(''));
    await this.#handle.datasync();
  }
}

/** Reads such a file. Invalid lines left by a crash are skipped: their frames count as not reported. */
export function parseSensorLog(text: string): SensorTick[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.flatMap((line) => {
    const [, pipeline, number, timeMs, deliveredAtMs] = tickLine.exec(line) ?? [];
    if (pipeline === undefined) return [];
    return {
      pipeline,
      number: Number(number),
      timeMs: Number(timeMs),
      deliveredAtMs: deliveredAtMs === '-' ? null : Number(deliveredAtMs),
    };
  });
}

function lineOf({ pipeline, number, timeMs, deliveredAtMs }: SensorTick): string {
  return `${pipeline} ${number} ${timeMs} ${deliveredAtMs === null ? '-' : deliveredAtMs.toFixed(3)}\n`;
}

function isRecent(last: SensorTick | undefined): (tick: SensorTick) => boolean {
  return ({ timeMs, pipeline }) =>
    last !== undefined && pipeline === last.pipeline && last.timeMs - timeMs <= leadMs;
}
