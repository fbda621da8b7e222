import { describe, expect, it } from 'vitest';
import { parseAutoboot, renderAutoboot } from './autoboot.ts';

/**
 * How Linux's vfat replaces a file by rename, sector by sector, and what the firmware reads after a power cut.
 * Assumed: a 512-byte sector is written whole or not at all; sectors written since the last sync reach the card in any
 * order, or not; what was synced stays. autoboot.txt fits one sector, so its content is never split.
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
  directory: { 'autoboot.txt': 10 },
  taken: [10],
  clusters: { 10: renderAutoboot('A'), 11: 'what lay there before' },
};

/** Every card that a cut can leave: any subset of the sectors not synced yet. */
function afterCut(synced: Card, pending: readonly SectorWrite[]): Card[] {
  return Array.from({ length: 2 ** pending.length }, (_, subset) =>
    pending.reduce((card, write, index) => ((subset >> index) & 1 ? write(card) : card), synced),
  );
}

/** The firmware follows the directory to the first cluster; one sector needs no look at the allocation table. */
function firmwareReads(card: Card): string {
  const cluster = card.directory['autoboot.txt'];
  return cluster === undefined ? '' : (card.clusters[cluster] ?? '');
}

function entry(name: string, cluster: number | null): SectorWrite {
  return (card) => {
    const { [name]: _gone, ...rest } = card.directory;
    return { ...card, directory: cluster === null ? rest : { ...rest, [name]: cluster } };
  };
}
const data =
  (cluster: number, text: string): SectorWrite =>
  (card) => ({
    ...card,
    clusters: { ...card.clusters, [cluster]: text },
  });
const allocate =
  (cluster: number): SectorWrite =>
  (card) => ({ ...card, taken: [...card.taken, cluster] });
const free =
  (cluster: number): SectorWrite =>
  (card) => ({
    ...card,
    taken: card.taken.filter((each) => each !== cluster),
  });
const apply = (card: Card, writes: readonly SectorWrite[]) => writes.reduce((sum, write) => write(sum), card);

const fresh = renderAutoboot('B');
const writeBeside = [entry('autoboot.new', 11), allocate(11), data(11, fresh)];
// The directory may span sectors: the new name and the old one can reach the card apart.
const rename = [entry('autoboot.txt', 11), entry('autoboot.new', null), free(10)];

describe('replacing autoboot.txt on FAT', () => {
  it('shows the old or the new selector after a cut anywhere in the synced sequence', () => {
    const synced = apply(before, writeBeside);
    const cards = [...afterCut(before, writeBeside), ...afterCut(synced, rename), apply(synced, rename)];
    const seen = new Set(cards.map(firmwareReads));
    expect(seen).toEqual(new Set([renderAutoboot('A'), fresh]));
    for (const card of cards) expect(['A', 'B']).toContain(parseAutoboot(firmwareReads(card)));
  });

  it('would not, if the new content were not synced before the rename', () => {
    const cards = afterCut(before, [...writeBeside, ...rename]);
    expect(cards.map(firmwareReads)).toContain('what lay there before');
  });

  it('would not, if the file were written in place and the card tore the sector', () => {
    const torn = Array.from({ length: fresh.length }, (_, at) => fresh.slice(0, at) + '\0'.repeat(8));
    expect(torn.some((text) => throws(() => parseAutoboot(text)))).toBe(true);
  });
});

function throws(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}
