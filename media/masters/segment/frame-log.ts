import { FrameLogError } from '../errors.ts';

/** One frame of an ffmpeg framemd5 file. */
export interface LoggedFrame {
  /** In units of the log's time base. */
  readonly pts: number;
  /** MD5 of the decoded samples, 32 hex digits. */
  readonly md5: string;
}

/** An ffmpeg framemd5 file, format version 2. */
export interface FrameLog {
  /** Seconds per unit of `pts`. */
  readonly timeBase: number;
  readonly frames: readonly LoggedFrame[];
  /** Index of the first frame whose timestamp is not its capture time; absent if there is none. */
  readonly guessedFrom?: number;
}

const frameLine = /^0,\s*(-?\d+),\s*(-?\d+),\s*\d+,\s*\d+,\s*([0-9a-f]{32})(?:,.*)?$/;
/** Time bases below that, and times beyond the year 9999, are damage. */
const shortestUnitS = 1e-9;
const latestS = 253_402_300_799;
const maxLine = 1000;
const timeBaseLine = /^#tb 0: (\d+)\/(\d+)$/;

/**
 * Reads a framemd5 file piece by piece, as it grows. A piece may end anywhere, even within a line; an unfinished last line does
 * not count, because its frame may be unfinished, too.
 */
export class FrameLogReader {
  readonly #onFrame: (frame: LoggedFrame) => void;
  readonly #damage: 'throw' | 'skip';
  #rest = '';
  #secondsPerUnit = 0;

  /** @param damage what to do with invalid lines */
  constructor(onFrame: (frame: LoggedFrame) => void, damage: 'throw' | 'skip' = 'throw') {
    this.#onFrame = onFrame;
    this.#damage = damage;
  }

  /** @throws FrameLogError unless damage should be skipped */
  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    // Text without a line end after this much never becomes a line.
    this.#rest = (lines.pop() ?? '').slice(0, maxLine);
    for (const line of lines) this.#take(line);
  }

  /** Seconds per unit of `pts`; 0 before the header was read. */
  get timeBase(): number {
    return this.#secondsPerUnit;
  }

  #take(line: string): void {
    const base = timeBaseLine.exec(line);
    if (base !== null) {
      const seconds = Number(base[1]) / Number(base[2]);
      this.#secondsPerUnit = seconds >= shortestUnitS && seconds <= 1 ? seconds : 0;
    }
    if (line.startsWith('#') || line.trim() === '') return;
    const found = frameLine.exec(line);
    const pts = Number(found?.[2]);
    const isFrame = found !== null && Math.abs(pts) * this.#secondsPerUnit <= latestS;
    if (isFrame && this.#secondsPerUnit > 0) this.#onFrame({ pts, md5: found[3] ?? '' });
    else if (this.#damage === 'throw')
      throw new FrameLogError(`no line of a framemd5 file: ${line.slice(0, 80)}`);
  }
}

/** Reads a whole framemd5 file. @throws FrameLogError */
export function parseFrameLog(text: string): FrameLog {
  const frames: LoggedFrame[] = [];
  const reader = new FrameLogReader((frame) => frames.push(frame));
  reader.push(text);
  return { timeBase: reader.timeBase, frames };
}

/**
 * The readable part of a framemd5 file: a power cut may leave its end, or all of it, as something else. `damaged` is why
 * nothing after `log` could be read. Never throws.
 */
export function readableFrameLog(text: string): {
  readonly log: FrameLog;
  readonly damaged: FrameLogError | null;
} {
  const frames: LoggedFrame[] = [];
  const reader = new FrameLogReader((frame) => frames.push(frame));
  let damaged: FrameLogError | null = null;
  try {
    reader.push(text);
  } catch (error) {
    if (!(error instanceof FrameLogError)) throw error;
    damaged = error;
  }
  return { log: { timeBase: reader.timeBase, frames }, damaged };
}

/**
 * Text of a framemd5 file whose frames changed only at the end: lines of remaining frames stay unchanged, added frames get a
 * line with the duration and size of the others. Pure.
 */
export function rewriteFrameLog(text: string, before: FrameLog, after: FrameLog): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const header = before.timeBase > 0 ? lines.filter((line) => line.startsWith('#')) : headerOf(after);
  const old = lines.filter((line) => !line.startsWith('#')).slice(0, before.frames.length);
  const [, , , duration = '1', size = '0'] = (old[0] ?? '').split(',').map((field) => field.trim());
  const added = after.frames
    .slice(old.length)
    .map(({ pts, md5 }) => `0, ${pts}, ${pts}, ${duration}, ${size}, ${md5}`);
  const kept = old.slice(0, after.frames.length);
  return [...header, ...kept, ...added].map((line) => `${line}\n`).join('');
}

function headerOf({ timeBase }: FrameLog): string[] {
  return ['#format: frame checksums', '#version: 2', '#hash: MD5', `#tb 0: 1/${Math.round(1 / timeBase)}`];
}
