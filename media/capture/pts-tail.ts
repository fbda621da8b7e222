import { type FileHandle, open, rename, writeFile } from 'node:fs/promises';
import type { ChildHost } from '../../common/child-host.ts';
import { readTextIfThere } from '../../common/files.ts';
import { PtsReader } from './rpicam-output.ts';

const chunkBytes = 16 * 1024;

/** What was added to a file of presentation times since the last look. */
export interface PtsAddition {
  /** Number of the first of them, counted from 0. */
  readonly first: number;
  readonly timesMs: readonly number[];
  /** Wall clock at which the last of them was written, in milliseconds since 1970; null if another one followed already. */
  readonly writtenAtMs: number | null;
}

/** How far a file was read and emptied: bytes, and times in them. */
interface Progress {
  readonly offset: number;
  readonly count: number;
}

/**
 * One growing file of `rpicam-vid --save-pts`, even after another file got its name. It is a plain file, so a reader that dies
 * never blocks the camera; what was read is punched out of it, while its writer continues at its end. Its progress is noted
 * beside it, for a supervisor that finds the pipeline running.
 */
export class PtsTail implements AsyncDisposable {
  /** Distinguishes this file from a later one of the same name: while it is open, no other gets its number. */
  readonly inode: bigint;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #reader: PtsReader;
  readonly #timesMs: number[] = [];
  #offset: number;
  #count: number;
  #trimmed: number;

  private constructor(path: string, handle: FileHandle, inode: bigint, { offset, count }: Progress) {
    this.#path = path;
    this.#handle = handle;
    this.inode = inode;
    this.#offset = offset;
    this.#count = count;
    this.#trimmed = offset;
    this.#reader = new PtsReader((timeMs) => this.#timesMs.push(timeMs), offset === 0 ? 'start' : 'middle');
  }

  /** Rejects with ENOENT if there is no such file. */
  static async open(path: string): Promise<PtsTail> {
    const handle = await open(path, 'r+');
    try {
      const { ino } = await handle.stat({ bigint: true });
      return new PtsTail(path, handle, ino, await progressOf(path, ino));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** @throws CaptureOutputError if it contains something else */
  async read(): Promise<PtsAddition> {
    const buffer = Buffer.alloc(chunkBytes);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) break;
      this.#offset += bytesRead;
      this.#reader.push(buffer.toString('latin1', 0, bytesRead));
    }
    const { size, mtimeMs } = await this.#handle.stat();
    const timesMs = this.#timesMs.splice(0);
    const first = this.#count;
    this.#count += timesMs.length;
    return { first, timesMs, writtenAtMs: size === this.#offset ? mtimeMs : null };
  }

  /** Gives back the space of what was read, once it is more than `atLeastBytes`. */
  async trim(host: ChildHost, name: string, atLeastBytes: number): Promise<void> {
    if (this.#offset - this.#trimmed < atLeastBytes || this.#reader.unfinished) return;
    await noteProgress(this.#path, this.inode, { offset: this.#offset, count: this.#count });
    this.#trimmed = this.#offset;
    // Node has no fallocate(2). The descriptor's path leads to this file, whatever has its name by now.
    const path = `/proc/${process.pid}/fd/${this.#handle.fd}`;
    const range = ['--offset', '0', '--length', `${this.#offset}`];
    const child = await host.spawn({ name, argv: ['fallocate', '--punch-hole', ...range, path] });
    const { code } = await child.exited;
    // For file systems that cannot do it. A line that is being written is lost then, and the zeros in its place are rejected:
    // dating frames by their arrival is better than a full disk.
    if (code !== 0) await this.#handle.truncate(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

async function noteProgress(path: string, inode: bigint, { offset, count }: Progress) {
  await writeFile(`${path}.read.tmp`, `${inode} ${offset} ${count}\n`);
  await rename(`${path}.read.tmp`, `${path}.read`);
}

async function progressOf(path: string, inode: bigint): Promise<Progress> {
  // Without a note nothing was emptied yet.
  const note = (await readTextIfThere(`${path}.read`)) ?? '';
  const [noted, offset, count] = note.trim().split(' ');
  const isOfThisFile = noted === `${inode}`;
  return isOfThisFile ? { offset: Number(offset), count: Number(count) } : { offset: 0, count: 0 };
}
