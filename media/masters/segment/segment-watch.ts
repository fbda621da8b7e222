import { type DiskFile, syncFile } from '../../../common/disk-fs.ts';
import { ifThere } from '../../../common/files.ts';
import { openRegular, regularStat } from '../disk/disk-file.ts';
import { FrameLogReader } from './frame-log.ts';
import { FrameSums } from './frame-sums.ts';

/** How far a segment is. */
export interface SegmentProgress {
  readonly frames: number;
  readonly droppedFrames: number;
  readonly bytes: number;
  /** Seconds since 1970; null before the first frame. */
  readonly firstS: number | null;
  readonly lastS: number | null;
}

/** A segment without a frame. */
export const noProgress: SegmentProgress = {
  frames: 0,
  droppedFrames: 0,
  bytes: 0,
  firstS: null,
  lastS: null,
};

/**
 * Follows a segment that another process writes, by its frame log and its size, and syncs the latest writes. The frames
 * themselves are never read, and only sums are kept of the log.
 */
export class SegmentWatch implements Disposable {
  readonly #file: string;
  readonly #reference: string;
  readonly #reader: FrameLogReader;
  readonly #sums: FrameSums;
  #handle: DiskFile | undefined;

  /** @param fps nominal rate, for counting what was dropped */
  constructor(file: string, reference: string, fps: number) {
    this.#file = file;
    this.#reference = reference;
    this.#sums = new FrameSums(fps);
    this.#reader = new FrameLogReader(({ pts }) => this.#sums.add(pts * this.#reader.timeBase), 'skip');
  }

  /** The machine's clock was set by this many seconds: its effect on the times of frames is no gap. */
  stepped(seconds: number): void {
    this.#sums.stepped(seconds);
  }

  /**
   * Reads what was added, and syncs the growing files. Unreadable parts of the log are skipped: the frames are counted again
   * when the segment is closed.
   */
  async poll(): Promise<SegmentProgress> {
    await this.#readLog();
    const bytes = (await regularStat(this.#file))?.size ?? 0;
    if (bytes === 0) return noProgress;
    await Promise.all([syncFile(this.#file), syncFile(this.#reference)]);
    return { ...this.#sums.progress(), bytes };
  }

  [Symbol.dispose](): void {
    this.#handle?.discard();
    this.#handle = undefined;
  }

  async #readLog(): Promise<void> {
    this.#handle ??= (await ifThere(openRegular(this.#reference))) ?? undefined;
    if (this.#handle === undefined) return;
    const buffer = Buffer.alloc(64 * 1024);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      this.#reader.push(buffer.toString('latin1', 0, bytesRead));
    }
  }
}
