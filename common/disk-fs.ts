import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { type DiskGate, gateOf } from './disk-gate.ts';
import { errorCode } from './errors.ts';

/**
 * Files on a disk that may hang: the calls of node:fs/promises, each through the gate of its disk. They reject with the system's
 * error, or DiskSilentError.
 */

/** Removing a file of some 100 GB takes this long on a slow disk, in milliseconds. */
const removalMs = 5 * 60_000;

/** An open file on such a disk. */
export class DiskFile implements AsyncDisposable {
  readonly #handle: fs.FileHandle;
  readonly #gate: DiskGate;

  constructor(handle: fs.FileHandle, gate: DiskGate) {
    this.#handle = handle;
    this.#gate = gate;
  }

  read(buffer: Buffer, offset: number, length: number, position: number | null) {
    return this.#gate.run(() => this.#handle.read(buffer, offset, length, position));
  }

  write(buffer: Uint8Array, offset: number, length: number, position: number | null) {
    return this.#gate.run(() => this.#handle.write(buffer, offset, length, position));
  }

  /** Writes all of it at the present position. */
  async writeFile(data: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(data);
    for (let at = 0; at < bytes.length; ) {
      at += (await this.write(bytes, at, bytes.length - at, null)).bytesWritten;
    }
  }

  /** What lies between two places in pieces; `end` counts, too. Each piece is a buffer of its own. */
  async *pieces({ start = 0, end = Number.MAX_SAFE_INTEGER }, size = 1024 * 1024): AsyncGenerator<Buffer> {
    for (let at = start; at <= end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(size, end - at + 1));
      const { bytesRead } = await this.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async text(): Promise<string> {
    const pieces: Buffer[] = [];
    for await (const piece of this.pieces({})) pieces.push(piece);
    return Buffer.concat(pieces).toString('utf8');
  }

  chmod(mode: number): Promise<void> {
    return this.#gate.run(() => this.#handle.chmod(mode));
  }

  stat(): Promise<Stats> {
    return this.#gate.run(() => this.#handle.stat());
  }

  sync(): Promise<void> {
    return this.#gate.run(() => this.#handle.sync());
  }

  datasync(): Promise<void> {
    return this.#gate.run(() => this.#handle.datasync());
  }

  /** A file of a disk that does not answer is closed when it does. */
  async close(): Promise<void> {
    let hasBegun = false;
    const close = () => {
      hasBegun = true;
      return this.#handle.close();
    };
    try {
      await this.#gate.run(close);
    } catch (error) {
      if (!hasBegun) this.discard();
      throw error;
    }
  }

  /** Closes a file that was only read, as soon as its disk lets it. The caller waits for nothing. */
  discard(): void {
    this.#gate.eventually(() => this.#handle.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** open(2). The file of a late answer is closed. */
export async function open(path: string, flags: string | number = 'r', mode?: number): Promise<DiskFile> {
  const gate = gateOf(path);
  const undo = (late: fs.FileHandle) => gate.eventually(() => late.close());
  return new DiskFile(await gate.run(() => fs.open(path, flags, mode), { undo }), gate);
}

export function stat(path: string): Promise<Stats> {
  return gateOf(path).run(() => fs.stat(path));
}

export function lstat(path: string): Promise<Stats> {
  return gateOf(path).run(() => fs.lstat(path));
}

export function statfs(path: string) {
  return gateOf(path).run(() => fs.statfs(path));
}

export function access(path: string, mode: number): Promise<void> {
  return gateOf(path).run(() => fs.access(path, mode));
}

/** With the folders above it. */
export async function makeFolder(path: string): Promise<void> {
  await gateOf(path).run(() => fs.mkdir(path, { recursive: true }));
}

export function list(path: string): Promise<string[]> {
  return gateOf(path).run(() => fs.readdir(path));
}

export function listEntries(path: string) {
  return gateOf(path).run(() => fs.readdir(path, { withFileTypes: true }));
}

export function rename(from: string, to: string): Promise<void> {
  return gateOf(to).run(() => fs.rename(from, to));
}

/** A file, or nothing. `patienceMs` is for a large one unless it is given. */
export async function removeFile(path: string, patienceMs = removalMs): Promise<void> {
  try {
    await gateOf(path).run(() => fs.unlink(path), { patienceMs });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * A folder with all that is in it, or nothing. A link is removed, never followed. Names may be any bytes, as another machine may
 * have written them.
 */
export async function removeFolder(path: string): Promise<void> {
  await removeTree(Buffer.from(path), gateOf(path));
}

async function removeTree(path: Buffer, gate: DiskGate): Promise<void> {
  const patience = { patienceMs: removalMs };
  try {
    if (!(await gate.run(() => fs.lstat(path))).isDirectory()) {
      await gate.run(() => fs.unlink(path), patience);
      return;
    }
    for (const name of await gate.run(() => fs.readdir(path, { encoding: 'buffer' })))
      await removeTree(Buffer.concat([path, Buffer.from('/'), name]), gate);
    await gate.run(() => fs.rmdir(path), patience);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Makes a folder's entries (new, renamed, removed files) outlive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}

/** Makes a file's content outlive a power cut, also if another process writes it. Rejects if the file is a link. */
export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  await file.datasync();
}
