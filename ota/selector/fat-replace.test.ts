import { describe, expect, it } from 'vitest';
import { parseAutoboot, renderAutoboot } from './autoboot.ts';

/**
 * How Linux's vfat replaces autoboot.txt, sector by sector, as recorded from kernel 6.12, and what a firmware reads after
 * a power cut. Assumed: a 512-byte sector is written whole or not at all; sectors written since the last flush reach the
 * card in any order, or not; what was flushed stays.
 */
interface Card {
  /** Directory sector: name → first cluster. */
  readonly directory: Readonly<Record<string, number>>;
  /** File allocation table: which clusters are taken. */
  readonly taken: readonly number[];
  readonly clusters: Readonly<Record<number, string>>;
}

type SectorWrite = (card: Card) => Card;

const before: Card = {
  directory: { 'autoboot.txt': 3 },
  taken: [3],
  clusters: { 3: renderAutoboot('A'), 4: 'what lay there before' },
};

/** Every card that a cut can leave: any subset of the sectors not flushed yet. */
function afterCut(flushed: Card, pending: readonly SectorWrite[]): Card[] {
  return Array.from({ length: 2 ** pending.length }, (_, subset) =>
    pending.reduce((card, write, index) => ((subset >> index) & 1 ? write(card) : card), flushed),
  );
}

/** A strict firmware: it does not read a file whose first cluster the table calls free. */
function firmwareReads(card: Card): string {
  const cluster = card.directory['autoboot.txt'];
  return cluster === undefined || !card.taken.includes(cluster) ? '' : (card.clusters[cluster] ?? '');
}

const directory =
  (entries: Readonly<Record<string, number>>): SectorWrite =>
  (card) => ({ ...card, directory: entries });
const table =
  (taken: readonly number[]): SectorWrite =>
  (card) => ({ ...card, taken });
const data =
  (cluster: number, text: string): SectorWrite =>
  (card) => ({ ...card, clusters: { ...card.clusters, [cluster]: text } });
const apply = (card: Card, writes: readonly SectorWrite[]) => writes.reduce((sum, write) => write(sum), card);

const fresh = renderAutoboot('B');
const writeBeside = [directory({ 'autoboot.txt': 3, 'autoboot.txt.new': 4 }), table([3, 4]), data(4, fresh)];
const beside = apply(before, writeBeside);
/** `mv --exchange`: the entries change places; one sector. */
const exchange = [directory({ 'autoboot.txt': 4, 'autoboot.txt.new': 3 })];
/** `mv`: the old file's cluster is freed, the new one's entry is removed; the last write is the directory again. */
const rename = [table([4]), directory({ 'autoboot.txt': 3 }), directory({ 'autoboot.txt': 4 })];
/** What klibc's mv does: it removes the old file first. */
const unlinkAndRename = [directory({ 'autoboot.txt.new': 4 }), table([4]), directory({ 'autoboot.txt': 4 })];

const good = (card: Card) => [renderAutoboot('A'), fresh].includes(firmwareReads(card));

describe('replacing autoboot.txt on FAT', () => {
  it('by an exchange shows the old or the new selector after a power cut at any point', () => {
    const cards = [...afterCut(before, writeBeside), ...afterCut(beside, exchange), apply(beside, exchange)];
    expect(new Set(cards.map(firmwareReads))).toEqual(new Set([renderAutoboot('A'), fresh]));
    for (const card of cards) expect(['A', 'B']).toContain(parseAutoboot(firmwareReads(card)));
  });

  it('can be repeated: the spare file is never the one in use', () => {
    const second = apply(apply(beside, exchange), [data(3, renderAutoboot('A'))]);
    expect(afterCut(apply(beside, exchange), [table([3, 4]), data(3, renderAutoboot('A'))]).every(good)).toBe(
      true,
    );
    expect(afterCut(second, [directory({ 'autoboot.txt': 3, 'autoboot.txt.new': 4 })]).every(good)).toBe(
      true,
    );
  });

  it('by a rename would not be safe for firmware that reads the directory table', () => {
    expect(afterCut(beside, rename).every(good)).toBe(false);
  });

  it('by removing the old one first would not be safe for any firmware', () => {
    expect(
      afterCut(beside, unlinkAndRename).some(({ directory: names }) => names['autoboot.txt'] === undefined),
    ).toBe(true);
  });

  it('would not be safe without flushing the new content first', () => {
    expect(afterCut(before, [...writeBeside, ...exchange]).every(good)).toBe(false);
  });
});
