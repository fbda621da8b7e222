import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectedRates } from '../disk/disk.ts';
import { noProgress } from '../segment/segment-watch.ts';
import type { CameraRecord } from '../take/manifest.ts';
import { recordFixture, segmentFixture } from '../take/take-manifest.fixture.ts';
import { type RecordPlan, RecordRates } from './record-rates.ts';

const logger = pino({ level: 'silent' });
const raw = { ...recordFixture().source, fps: 30 };
const expected = expectedRates(raw);
let folder: string;
let cacheFile: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'record-rates-'));
  cacheFile = join(folder, 'rates.json');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const open = () => new RecordRates({ cacheFile, logger });
const plan = (over: Partial<RecordPlan> = {}): RecordPlan => ({
  camera: 'cam0',
  raw,
  codec: 'ffv1',
  strategy: 'direct',
  ...over,
});

/** What a take kept: frames of so many bytes. */
function kept(frameBytes: number, frames: number, state: 'closed' | 'spooled' = 'closed'): CameraRecord {
  const segment = segmentFixture(1, { state, frames, bytes: frames * frameBytes });
  return recordFixture({ source: raw, segments: [segment] });
}

test('before any take the estimate is the maximum; afterwards it is what the take used', async () => {
  const rates = open();
  expect(await rates.bytesPerSecond(plan())).toBe(expected.master);
  expect(await rates.bytesPerSecond(plan({ strategy: 'spool' }))).toBe(expected.spool + expected.master);
  await rates.learn('cam0', kept(10_000, 300));
  expect(await rates.bytesPerSecond(plan())).toBeCloseTo(300_000);
  expect(await rates.bytesPerSecond(plan({ strategy: 'spool' }))).toBeCloseTo(expected.spool + 300_000);
});

test('a program that ends can wait until everything is in the file', async () => {
  const rates = open();
  for (const camera of ['cam0', 'cam1', 'cam2']) void rates.learn(camera, kept(10_000, 300));
  await rates.written();
  expect(Object.keys(JSON.parse(await readFile(cacheFile, 'utf8')))).toHaveLength(3);
  expect(await readdir(folder)).toEqual(['rates.json']);
});

test('the estimate survives a restart, for this camera, codec and geometry alone', async () => {
  await open().learn('cam0', kept(10_000, 300));
  const rates = open();
  expect(await rates.bytesPerSecond(plan())).toBeCloseTo(300_000);
  for (const other of [
    { camera: 'cam1' },
    { codec: 'prores' as const },
    { raw: { ...raw, width: 1280, height: 720 } },
  ]) {
    expect(await rates.bytesPerSecond(plan(other))).toBe(expectedRates(other.raw ?? raw).master);
  }
});

test('the rate of a spool is remembered separately, as is that of a camera with its own H.264', async () => {
  const rates = open();
  await rates.learn('cam0', kept(2000, 300, 'spooled'));
  await rates.learn('cam0', kept(50_000, 300));
  expect(await rates.bytesPerSecond(plan({ strategy: 'spool' }))).toBeCloseTo(60_000 + 1_500_000);
});

test('a running take counts by itself', async () => {
  const rates = open();
  await rates.learn('cam0', kept(10_000, 300));
  const growing = { ...noProgress, frames: 600, bytes: 600 * 40_000 };
  expect(await rates.bytesPerSecond(plan({ growing }))).toBeCloseTo(1_200_000);
  const begun = { ...noProgress, frames: 10, bytes: 0 };
  expect(await rates.bytesPerSecond(plan({ growing: begun }))).toBeCloseTo(300_000);
});

test('old takes weigh less than new ones, and a few frames say nothing', async () => {
  const rates = open();
  await rates.learn('cam0', kept(1, 20));
  expect(await rates.bytesPerSecond(plan())).toBe(expected.master);
  await rates.learn('cam0', kept(10_000, 9000));
  await rates.learn('cam0', kept(20_000, 9000));
  const now = await rates.bytesPerSecond(plan());
  expect(now).toBeGreaterThan(440_000);
  await rates.learn('cam0', kept(20_000, 900_000));
  expect(await rates.bytesPerSecond(plan())).toBeGreaterThan(590_000);
});

test.each(['', '[]', '{"a":{"bytes":-1,"frames":1}}', '\0\0\0', '{"cam0'])(
  'a damaged file (%j) is ignored and replaced',
  async (text) => {
    await writeFile(cacheFile, text);
    const rates = open();
    expect(await rates.bytesPerSecond(plan())).toBe(expected.master);
    await rates.learn('cam0', kept(10_000, 300));
    expect(Object.keys(JSON.parse(await readFile(cacheFile, 'utf8')))).toHaveLength(1);
  },
);

test('a read-only disk only loses the remembered rates', async () => {
  const rates = new RecordRates({ cacheFile: join(folder, 'gone', 'rates.json'), logger });
  await rates.learn('cam0', kept(10_000, 300));
  expect(await rates.bytesPerSecond(plan())).toBeCloseTo(300_000);
});
