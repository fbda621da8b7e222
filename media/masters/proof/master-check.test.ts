import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SpawningChildHost } from '../../../common/child-host.fake.ts';
import { DiskFaults } from '../../../scripts/testing/disk-faults/disk-faults.ts';
import { cameraOf, until } from '../recorder/recording-rig.fake.ts';
import { takeManifestSchema } from '../take/manifest.ts';
import { manifestFixture, recordFixture, segmentFixture } from '../take/take-manifest.fixture.ts';
import { TakeStore } from '../take/take-store.ts';
import { MasterCheck, type MasterCheckOptions } from './master-check.ts';

const logger = pino({ level: 'silent' });
const dayMs = 86_400_000;
const provenAt = Date.parse('2026-11-22T12:00:10Z');
const bytes = Buffer.from('the frames of a master');

describe('MasterCheck', { timeout: 60_000 }, () => {
  let root: string;
  let host: SpawningChildHost;
  let store: TakeStore;
  let nowMs: number;
  let ending: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'master-check-'));
    host = new SpawningChildHost();
    store = new TakeStore({ logger, roots: () => [root] });
    nowMs = provenAt + dayMs;
    ending = new AbortController();
    running = Promise.resolve();
  });

  afterEach(async () => {
    ending.abort();
    await running;
    await host[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  });

  it('reads a master again after a month, and not before', async () => {
    const take = await layTake('one');
    nowMs = provenAt + 29 * dayMs;
    const check = start();
    await looks();
    expect(segmentOf(take).checkedAt).toBeNull();
    nowMs = provenAt + 31 * dayMs;
    await until(() => segmentOf(take).checkedAt !== null);
    expect(segmentOf(take)).toMatchObject({ checkedAt: '2026-12-23T12:00:10.000Z', verified: { ok: true } });
    expect(cameraOf(take).state).toBe('verified');
    await until(() => check.progress === null);
    const written = takeManifestSchema.parse(
      JSON.parse(await readFile(join(take.folder, 'take.json'), 'utf8')),
    );
    expect(written).toEqual(take.manifest);
  });

  it('finds a flipped bit and remembers when', async () => {
    const take = await layTake('one');
    const { master } = take.files('cam0', 1);
    const flipped = Buffer.from(bytes);
    flipped[3] = (flipped[3] ?? 0) ^ 4;
    await writeFile(master, flipped);
    const check = start();
    check.request('one');
    await until(() => cameraOf(take).state === 'failed');
    const found = segmentOf(take).verified;
    expect(found?.ok).toBe(false);
    expect(found?.problems.join()).toContain('SHA-256 differs');
    expect(cameraOf(take).reason).toContain(`segment 1 is damaged, found ${found?.at.slice(0, 16)}Z`);
    await until(() => !check.isWanted('one'));
    nowMs += dayMs;
    check.request('one');
    await until(() => !check.isWanted('one'));
    expect(segmentOf(take).verified?.at).toBe(found?.at);
  });

  it('reports a missing master and continues with the others', async () => {
    const gone = await layTake('gone');
    const other = await layTake('other');
    await rm(gone.files('cam0', 1).master);
    nowMs = provenAt + 31 * dayMs;
    start();
    await until(() => cameraOf(gone).state === 'failed' && segmentOf(other).checkedAt !== null);
    expect(cameraOf(gone).reason).toContain('the file is gone');
    expect(cameraOf(other).state).toBe('verified');
  });

  it('checks a disk soon after it returns', async () => {
    const take = await layTake('one');
    let isThere = true;
    nowMs = provenAt + 2 * dayMs;
    start({ roots: async () => (isThere ? [root] : []) });
    await looks();
    isThere = false;
    await looks();
    expect(segmentOf(take).checkedAt).toBeNull();
    isThere = true;
    await until(() => segmentOf(take).checkedAt !== null);
  });

  it('pauses while something is recorded, keeps its progress and reads at idle priority', async () => {
    const take = await layTake('one');
    await truncate(take.files('cam0', 1).master, 3e9);
    let isBusy = false;
    const check = start({ isBusy: () => isBusy });
    check.request('one');
    await until(() => host.running.size === 1);
    const [child] = host.running.values();
    isBusy = true;
    const stat = async () =>
      (await readFile(`/proc/${child?.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
    await until(async () => (await stat())[0] === 'T');
    expect((await stat())[16]).toBe('19');
    expect(check.progress).toEqual({ take: 'one', camera: 'cam0', done: 0, of: 1 });
    isBusy = false;
    await until(async () => (await stat())[0] !== 'T');
    isBusy = true;
    await until(async () => (await stat())[0] === 'T');
    ending.abort();
    await running;
    expect(host.running.size).toBe(0);
  });

  it('starts nothing while something is recorded', async () => {
    const take = await layTake('one');
    let isBusy = true;
    const check = start({ isBusy: () => isBusy });
    check.request('one');
    await looks();
    expect(segmentOf(take).checkedAt).toBeNull();
    isBusy = false;
    await until(() => segmentOf(take).checkedAt !== null);
  });

  it('leaves a disk that hangs, checks what is on others, and comes back to it when it answers', async () => {
    // Another file system than that of the other take.
    const hung = await mkdtemp('/dev/shm/hung-disk-');
    await using faults = await DiskFaults.over(hung);
    for (const [name, value] of Object.entries(faults.environment)) vi.stubEnv(name, value);
    store = new TakeStore({ logger, roots: () => [hung, root] });
    const [first, other, due] = [await layTake('hung', hung), await layTake('other'), await layTake('due')];
    await faults.set(['read hang', 'openread hang']);
    nowMs = provenAt + 31 * dayMs;
    const check = start({ patienceMs: 300 });
    check.request('hung');
    check.request('other');
    await until(() => segmentOf(other).checkedAt !== null && segmentOf(due).checkedAt !== null);
    expect(check.isWanted('hung')).toBe(true);
    expect(segmentOf(first)).toMatchObject({ checkedAt: null, verified: { ok: true } });
    await faults.heal();
    await until(() => segmentOf(first).checkedAt !== null);
    expect(segmentOf(first).verified?.ok).toBe(true);
    await until(() => !check.isWanted('hung'));
    vi.unstubAllEnvs();
    await rm(hung, { recursive: true });
  });

  async function layTake(id: string, at = root) {
    const folder = join(at, `20261122T120000Z-${id}`);
    await mkdir(join(folder, 'cam0'), { recursive: true });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const record = recordFixture({ segments: [segmentFixture(1, { sha256 })], unreadable: [] });
    await writeFile(join(folder, 'cam0', '0001.mkv'), bytes);
    await writeFile(
      join(folder, 'take.json'),
      JSON.stringify(manifestFixture({ id, cameras: { cam0: record } })),
    );
    return await store.get(id);
  }

  function start(over: Partial<MasterCheckOptions> = {}): MasterCheck {
    const check = new MasterCheck({
      host,
      logger,
      takes: () => store.all(),
      roots: async () => [root],
      isBusy: () => false,
      lookMs: 20,
      now: () => nowMs,
      ...over,
    });
    running = check.run(ending.signal);
    return check;
  }

  const segmentOf = (take: Parameters<typeof cameraOf>[0]) => {
    const [segment] = cameraOf(take).segments;
    if (segment === undefined) throw new Error('the take has no segment');
    return segment;
  };

  /** Long enough for a few looks. */
  const looks = () => new Promise((resolve) => setTimeout(resolve, 200));
});
