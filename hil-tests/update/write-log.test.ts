import { describe, expect, it } from 'vitest';
import { apply, cutPoints, readWriteLog } from './write-log.ts';

/** A log as QEMU 7.2 writes it: a superblock in the first sector, then header sectors and data. */
function logOf(entries: readonly { sector: number; data?: string; flags?: number }[]): Buffer {
  const header = Buffer.alloc(512);
  header.writeBigUInt64LE(0x6a736677736872n, 0);
  header.writeBigUInt64LE(1n, 8);
  header.writeBigUInt64LE(BigInt(entries.length), 16);
  header.writeUInt32LE(512, 24);
  const parts = [header];
  for (const { sector, data, flags } of entries) {
    const count = data === undefined ? 0 : data.length;
    const head = Buffer.alloc(512);
    head.writeBigUInt64LE(BigInt(sector), 0);
    head.writeBigUInt64LE(BigInt(count), 8);
    head.writeBigUInt64LE(BigInt(flags ?? 0), 16);
    parts.push(head, ...[...(data ?? '')].map((letter) => Buffer.alloc(512, letter)));
  }
  return Buffer.concat([...parts, Buffer.alloc(4096)]);
}

describe('the write log', () => {
  const log = logOf([
    { sector: 0, data: 'a' },
    { sector: 1, data: 'bc' },
    { sector: 0, flags: 1 },
    { sector: 3, data: 'd', flags: 2 },
    { sector: 0, data: 'e' },
  ]);

  it('splits into epochs at flushes and forced writes', () => {
    const { epochs, unflushed } = readWriteLog(log);
    expect(unflushed.map(({ offset }) => offset)).toEqual([0]);
    expect(
      epochs.map((epoch) => epoch.map(({ offset, data }) => [offset, String(data[0]), data.length])),
    ).toEqual([
      [
        [0, '97', 512],
        [512, '98', 1024],
      ],
      [[1536, '100', 512]],
      [[0, '101', 512]],
    ]);
  });

  it('yields every prefix, every subset and every torn write', () => {
    const { epochs } = readWriteLog(log);
    const points = [...cutPoints(epochs, { exhaustive: 6, samples: 0, random: () => 0 })];
    // 3 + 1 torn + 4 subsets, then twice 2 + 2.
    expect(points).toHaveLength(8 + 4 + 4);
    const disk = Buffer.alloc(2048, '.');
    apply(disk, epochs[0] ?? []);
    expect(disk.toString('latin1').replace(/(.)\1*/g, '$1')).toBe('abc.');
  });

  it('reads the log of a killed machine up to the last complete entry', () => {
    const counted = Buffer.from(log);
    counted.writeBigUInt64LE(3n, 16);
    expect(readWriteLog(counted)).toEqual(readWriteLog(log));
    // Its last entry has no data any more.
    const torn = readWriteLog(counted.subarray(0, counted.length - 4096 - 256));
    expect(torn.epochs).toHaveLength(2);
    expect(torn.unflushed).toEqual([]);
  });

  it('has nothing left to lose after a flush', () => {
    const flushed = logOf([
      { sector: 0, data: 'a' },
      { sector: 0, flags: 1 },
    ]);
    expect(readWriteLog(flushed)).toMatchObject({ epochs: [[{ offset: 0 }]], unflushed: [] });
  });

  it('has no superblock before the first flush', () => {
    expect(readWriteLog(Buffer.alloc(0))).toEqual({ epochs: [], unflushed: [] });
    const early = Buffer.from(log);
    early.fill(0, 0, 512);
    expect(readWriteLog(early)).toEqual(readWriteLog(log));
  });

  it('rejects anything else', () => {
    expect(() => readWriteLog(Buffer.alloc(8192, 'x'))).toThrow(
      expect.objectContaining({ code: 'RIG_TOOL' }),
    );
  });
});
