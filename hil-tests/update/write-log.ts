import { RigError } from '../lib/errors.ts';

/** One write to a disk, as it was recorded. */
export interface DiskWrite {
  readonly offset: number;
  readonly data: Buffer;
}

/** Writes between two flushes: until the second one, any of them may be lost. */
export type Epoch = readonly DiskWrite[];

const magic = 0x6a736677736872n;
const flag = { flush: 1, fua: 2, discard: 4, mark: 8 } as const;

/** The content of a log. */
export interface WriteLog {
  /** Writes that were flushed, and those after them, in the order of flushes; no empty ones. */
  readonly epochs: readonly Epoch[];
  /** The last of them if no flush follows it, otherwise empty. */
  readonly unflushed: Epoch;
}

/**
 * Reads a log of QEMU's `blklogwrites`, which has the format of Linux's dm-log-writes: a superblock, then per request a sector
 * of header and the data. QEMU counts entries in the superblock only at flushes and from time to time; if it was killed,
 * entries after the counted ones are read as well, up to the first incomplete one. Throws RIG_TOOL if it is something else.
 * Pure.
 */
export function readWriteLog(log: Buffer): WriteLog {
  const began = log.length >= 32 ? log.readBigUInt64LE(0) : 0n;
  // QEMU writes the superblock with the first flush.
  const counted = began === magic;
  if (!counted && began !== 0n) throw new RigError('RIG_TOOL', 'this is no log of writes');
  const entries = counted ? Number(log.readBigUInt64LE(16)) : 0;
  const sector = counted ? log.readUInt32LE(24) : 512;
  const epochs: DiskWrite[][] = [[]];
  let at = sector;
  for (let index = 0; index < entries || isWhole(log, at, sector); index++) {
    const first = Number(log.readBigUInt64LE(at));
    const count = Number(log.readBigUInt64LE(at + 8));
    const flags = Number(log.readBigUInt64LE(at + 16));
    at += sector;
    if ((flags & flag.flush) !== 0) epochs.push([]);
    if ((flags & (flag.discard | flag.mark)) !== 0 || count === 0) continue;
    const length = count * sector;
    epochs.at(-1)?.push({ offset: first * sector, data: log.subarray(at, at + length) });
    at += length;
    // Forced to the medium: nothing before it was, but this one is.
    if ((flags & flag.fua) !== 0) epochs.push([]);
  }
  return { epochs: epochs.filter((epoch) => epoch.length > 0), unflushed: epochs.at(-1) ?? [] };
}

/** Whether an uncounted entry is there with all of its data. */
function isWhole(log: Buffer, at: number, sector: number): boolean {
  if (at + sector > log.length) return false;
  const count = Number(log.readBigUInt64LE(at + 8));
  const flags = Number(log.readBigUInt64LE(at + 16));
  if (count === 0 && flags === 0) return false;
  return (flags & flag.discard) !== 0 || at + sector + count * sector <= log.length;
}

/** What a cut leaves: how many whole epochs, and which writes of the next one. */
export interface CutPoint {
  readonly epoch: number;
  readonly kept: readonly DiskWrite[];
}

/**
 * Every prefix of the writes, and of each epoch all subsets if it has at most `exhaustive` writes, otherwise `samples` random
 * ones. A write of several sectors may also be torn after each of its sectors.
 */
export function* cutPoints(
  epochs: readonly Epoch[],
  options: { exhaustive: number; samples: number; random: () => number },
): Generator<CutPoint> {
  for (const [epoch, writes] of epochs.entries()) {
    for (let length = 0; length <= writes.length; length++) {
      yield { epoch, kept: writes.slice(0, length) };
      yield* torn(epoch, writes, length);
    }
    if (writes.length <= options.exhaustive) {
      for (let subset = 0; subset < 2 ** writes.length; subset++) {
        yield { epoch, kept: writes.filter((_write, index) => ((subset >> index) & 1) === 1) };
      }
    } else {
      for (let sample = 0; sample < options.samples; sample++) {
        yield { epoch, kept: writes.filter(() => options.random() < 0.5) };
      }
    }
  }
}

function* torn(epoch: number, writes: Epoch, length: number): Generator<CutPoint> {
  const next = writes[length];
  if (next === undefined) return;
  const sectors = Math.min(next.data.length / 512, 8);
  for (let count = 1; count < sectors; count++) {
    yield {
      epoch,
      kept: [...writes.slice(0, length), { ...next, data: next.data.subarray(0, count * 512) }],
    };
  }
}

/** Applies writes to a disk. */
export function apply(disk: Buffer, writes: readonly DiskWrite[]): void {
  for (const { offset, data } of writes) data.copy(disk, offset);
}
