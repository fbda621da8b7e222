import { CaptureOutputError } from './errors.ts';

/**
 * Reads a file of `rpicam-vid --save-pts` (mkvmerge's "timecode format v2") piece by piece, as it grows: milliseconds since
 * the first frame, one per line. A piece may end anywhere; an unfinished last line waits for its rest.
 */
export class PtsReader {
  readonly #onTime: (timeMs: number) => void;
  #atHeader: boolean;
  #rest = '';

  /** @param from `middle`: at the beginning of a later line */
  constructor(onTime: (timeMs: number) => void, from: 'start' | 'middle' = 'start') {
    this.#onTime = onTime;
    this.#atHeader = from === 'start';
  }

  /** Whether the last line is not complete yet. */
  get unfinished(): boolean {
    return this.#rest !== '';
  }

  /** @throws CaptureOutputError */
  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    if (this.#atHeader) {
      if (!/^# time(code|stamp) format v2\s*$/.test(line)) {
        throw new CaptureOutputError('no presentation times: the first line is no "timecode format v2"');
      }
      this.#atHeader = false;
      return;
    }
    if (!/^\d+(\.\d+)?\s*$/.test(line)) {
      throw new CaptureOutputError(`no presentation time: ${line.slice(0, 40)}`);
    }
    this.#onTime(Number(line));
  }
}
