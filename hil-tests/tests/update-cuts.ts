import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { CutGuest, isInFat } from '../update/cut-guest.ts';
import { committedSlot, upperBound, wrongWith } from '../update/verdict.ts';
import { apply, cutPoints, readWriteLog } from '../update/write-log.ts';

const image =
  process.env.RUSHLIGHT_UPDATE_IMAGE ?? join(import.meta.dirname, '../../image/out/virt-amd64/disk.img');
/** Real cuts cost a start each. */
const realCuts = Number(process.env.RUSHLIGHT_CUTS ?? 8);
const startTimeoutMs = 900_000;

/** Tests of power cuts during updates, with recorded writes. */
export const updateCutTests: readonly TestCase[] = [
  {
    name: 'update: every write of the selector cut off',
    selection: 'long',
    needs: 'off',
    timeoutMs: 300_000,
    run: (context) => withGuest((guest, folder) => replay(guest, folder, context)),
  },
  {
    name: `update: ${realCuts} power cuts of updates`,
    selection: 'long',
    needs: 'off',
    timeoutMs: 300_000,
    run: (context) => withGuest((guest) => cutForReal(guest, context)),
  },
];

async function withGuest(task: (guest: CutGuest, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-cuts-'));
  try {
    const guest = new CutGuest(folder, image);
    await guest.prepare();
    await task(guest, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Two updates with their writes recorded; then every state of the disk that a cut could have left is checked. */
async function replay(guest: CutGuest, folder: string, { note, random, signal }: TestContext): Promise<void> {
  const before = await readFile(guest.disk);
  const log = join(folder, 'writes.log');
  const lines = await guest.run({ cycles: 2, writeLog: log, timeoutMs: startTimeoutMs, signal });
  assert.ok(
    lines.includes('cut: committed B') && lines.includes('cut: committed A'),
    lines.slice(-20).join('\n'),
  );
  const { epochs } = readWriteLog(await readFile(log));
  const seen = { A: 0, B: 0 };
  const known = { fat: new Map<string, string | null>(), ext4: new Map<string, string | null>() };
  let points = 0;
  let whole = 0;
  const base = Buffer.from(before);
  const written = { fat: 0, ext4: 0 };
  for (const { epoch, kept } of cutPoints(epochs, { exhaustive: 6, samples: 40, random })) {
    signal.throwIfAborted();
    for (; whole < epoch; whole++) {
      const writes = epochs[whole] ?? [];
      apply(base, writes);
      for (const { offset } of writes) written[isInFat(offset) ? 'fat' : 'ext4']++;
    }
    const disk = Buffer.from(base);
    apply(disk, kept);
    // A cut in one file system leaves the other as it was: each of its states is read once.
    const key = (fat: boolean) => {
      const own = kept.filter(({ offset }) => isInFat(offset) === fat);
      return `${written[fat ? 'fat' : 'ext4']} ${own.map(({ offset, data }) => `${offset}+${data.length}`).join(' ')}`;
    };
    const found = {
      autoboot: await once(known.fat, key(true), () => guest.readAutoboot(disk)),
      state: await once(known.ext4, key(false), () => guest.readState(disk)),
    };
    assert.equal(wrongWith(found), null, `cut ${points} in epoch ${epoch} after ${kept.length} writes`);
    seen[committedSlot(found)]++;
    points++;
  }
  assert.ok(points >= 300 && seen.A > 0 && seen.B > 0);
  note(
    `${points} cuts of ${epochs.flat().length} writes in ${epochs.length} epochs: 0 unbootable, 0 half-committed`,
  );
  note(
    `of them ${seen.A} came up in A, ${seen.B} in B; failure rate below ${percent(upperBound(points))} (95 %)`,
  );
}

/** One machine whose power is cut again and again in the middle of updates, and which has to start every time. */
async function cutForReal(guest: CutGuest, { note, random, signal }: TestContext): Promise<void> {
  let expected = new Set(['A']);
  let updates = 0;
  for (let cut = 0; cut < realCuts; cut++) {
    signal.throwIfAborted();
    // An update takes about a second there; the cut comes in the first three.
    const delayMs = random() * 3_000;
    let begun = false;
    const lines = await guest.run({
      cycles: 1_000,
      writeLog: null,
      timeoutMs: startTimeoutMs,
      signal,
      onLine: (line, cutPower) => {
        if (!line.startsWith('cut: begin') || begun) return;
        begun = true;
        setTimeout(cutPower, delayMs);
      },
    });
    const start = lines.find((line) => line.startsWith('cut: begin'))?.at(-1) ?? 'nothing';
    assert.ok(begun, `start ${cut + 1} did not get to its first update: ${lines.slice(-5).join(' | ')}`);
    assert.ok(expected.has(start), `start ${cut + 1} is in ${start}, not in ${[...expected]}`);
    const found = await guest.look();
    assert.equal(wrongWith(found), null, `after cut ${cut + 1}`);
    const committed = lines.filter((line) => line.startsWith('cut: committed'));
    updates += committed.length;
    expected = new Set([committedSlot(found)]);
    if ((cut + 1) % 10 === 0) note(`${cut + 1} cuts, ${updates} updates got through in between, all well`);
  }
  note(
    `${realCuts} starts, each cut off in the middle of an update (${updates} updates got through in between)`,
  );
  note(`0 unbootable, 0 half-committed; failure rate below ${percent(upperBound(realCuts))} (95 %)`);
}

async function once<T>(known: Map<string, T>, key: string, read: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const value = await read();
  known.set(key, value);
  return value;
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(2)} %`;
}
