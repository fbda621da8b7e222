import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { concluded } from './conclusion.ts';
import { type CameraRecord, takeState, withTotals } from './manifest.ts';
import { Take } from './take.ts';
import { recordFixture } from './take-manifest.fixture.ts';
import { TakeStore, takeFolderName } from './take-store.ts';

const logger = pino({ level: 'silent' });

describe('TakeStore', () => {
  let root: string;
  let store: TakeStore;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'takes-'));
    store = new TakeStore({ logger, roots: () => [root] });
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it('names folders by start and id, and lists the newest first', async () => {
    await store.createTake('first', new Date('2026-11-22T12:00:00Z'));
    await store.createTake('second', new Date('2026-11-22T12:00:01.5Z'));
    expect((await readdir(root)).toSorted()).toEqual(['20261122T120000Z-first', '20261122T120001Z-second']);
    expect((await store.list()).map(({ id }) => id)).toEqual(['second', 'first']);
    const another = new TakeStore({ logger, roots: () => [root] });
    expect(await another.list()).toEqual(await store.list());
  });

  it('skips what is not a take and forgets takes whose folder is gone', async () => {
    await store.createTake('one', new Date());
    await writeFile(join(root, 'note.txt'), 'x');
    await mkdir(join(root, 'lost+found'));
    expect((await store.list()).map(({ id }) => id)).toEqual(['one']);
    await rm(join(root, (await readdir(root)).find((name) => name.endsWith('-one')) ?? ''), {
      recursive: true,
    });
    expect(await store.list()).toEqual([]);
    await expect(store.get('one')).rejects.toMatchObject({ code: 'TAKE_NOT_FOUND' });
  });

  it('removes only a finished take, take.json last', async () => {
    const take = await store.createTake('over', new Date());
    const masters = join(take.folder, 'cam0');
    await mkdir(masters);
    await writeFile(join(masters, '0001.mkv'), 'frames');
    await expect(store.remove('over')).rejects.toMatchObject({ code: 'TAKE_UNFINISHED' });
    expect(await readdir(masters)).toEqual(['0001.mkv']);

    await take.update((manifest) => ({ ...manifest, wanted: false }));
    await store.createTake('other', new Date());
    await store.remove('over');
    expect((await store.list()).map(({ id }) => id)).toEqual(['other']);
    expect((await readdir(root)).filter((name) => name.endsWith('over'))).toEqual([]);
    await expect(store.remove('over')).rejects.toMatchObject({ code: 'TAKE_NOT_FOUND' });
  });

  it('still lists a take that cannot be deleted from its disk', async () => {
    const take = await store.createTake('stuck', new Date());
    await take.update((manifest) => ({ ...manifest, wanted: false }));
    const hidden = `${take.folder}-away`;
    await rename(take.folder, hidden);
    await writeFile(take.folder, 'as unreadable as a folder on a dead disk');
    const known = store.remove('stuck');
    await expect(known).rejects.toMatchObject({ code: 'TAKE_NOT_REMOVED' });
    await rm(take.folder);
    await rename(hidden, take.folder);
    expect((await store.list()).map(({ id }) => id)).toEqual(['stuck']);
  });

  it('lists the takes of other disks if one cannot be read', async () => {
    await store.createTake('here', new Date());
    const broken = join(root, 'no-folder');
    await writeFile(broken, 'as unreadable as a folder on a dead disk');
    const roots = (): [string, ...string[]] => [broken, root];
    const two = new TakeStore({ logger, roots });
    expect((await two.list()).map(({ id }) => id)).toEqual(['here']);
    expect(await two.unfinished()).toHaveLength(1);
    // The other one fails, too: what is known of it is not forgotten, so that its take can still be ended.
    const aside = `${root}-aside`;
    await rename(root, aside);
    await writeFile(root, '');
    expect((await two.list()).map(({ id }) => id)).toEqual(['here']);
    await rm(root);
    await rename(aside, root);
  });

  it('finds takes on every mounted disk and can end one whose disk is away', async () => {
    const disk = await mkdtemp(join(tmpdir(), 'takes-disk-'));
    try {
      let roots: [string, ...string[]] = [disk, root];
      const two = new TakeStore({ logger, roots: () => roots });
      const done = await two.createTake('done', new Date('2026-11-22T12:00:00Z'));
      await done.update((manifest) => ({ ...manifest, state: 'verified', wanted: false }));
      await two.createTake('running', new Date('2026-11-22T12:00:01Z'));
      await store.createTake('inside', new Date('2026-11-22T12:00:02Z'));
      expect(two.root).toBe(disk);
      expect((await two.list()).map(({ id }) => id)).toEqual(['inside', 'running', 'done']);
      roots = [root];
      expect((await two.list()).map(({ id }) => id)).toEqual(['inside', 'running']);
      expect((await two.get('running')).folder).toContain(disk);
      roots = [join(disk, 'not-yet'), root];
      expect((await two.createTake('first', new Date())).folder).toContain('not-yet');
      roots = [disk, root];
      expect((await two.list()).map(({ id }) => id)).toContain('done');
    } finally {
      await rm(disk, { recursive: true, force: true });
    }
  });

  it('counts a take as unfinished while raw frames wait for their master', async () => {
    for (const id of ['done', 'spooled', 'running']) await store.createTake(id, new Date());
    const settle = async (id: string, segments: number) => {
      const take = await store.get(id);
      const record = aRecord();
      const kept = record.segments.slice(0, segments);
      const cameras = { cam0: { ...record, state: 'failed' as const, segments: kept } };
      await take.update((manifest) => ({ ...manifest, wanted: false, cameras }));
    };
    await settle('done', 1);
    await settle('spooled', 2);
    const unfinished = await store.unfinished();
    expect(unfinished.map(({ manifest }) => manifest.id).toSorted()).toEqual(['running', 'spooled']);
  });

  it('reports the current state even if it cannot be written', async () => {
    const take = await store.createTake('one', new Date());
    await take.update((manifest) => ({ ...manifest, cameras: { cam0: aRecord() } }));
    await rm(take.folder, { recursive: true });
    const failed = take.updateCamera('cam0', (record) => ({ ...record, state: 'failed' }));
    await expect(failed).rejects.toMatchObject({ code: 'ENOENT' });
    expect(take.manifest.state).toBe('failed');
  });

  it('rejects an id that is taken or not a plain name', async () => {
    await store.createTake('one', new Date());
    for (const id of ['one', '', '..', 'a/b', 'A', '-a', 'a'.repeat(65)]) {
      await expect(store.createTake(id, new Date())).rejects.toMatchObject({ code: 'TAKE_ID_INVALID' });
    }
  });

  it('serves only masters that take.json lists as finished', async () => {
    const take = await store.createTake('one', new Date());
    await take.update((manifest) => ({ ...manifest, cameras: { cam0: aRecord() } }));
    await mkdir(join(take.folder, 'cam0'));
    await writeFile(join(take.folder, 'cam0', '0001.mkv'), 'frames');
    const { path, fileName } = await store.masterPath('one', 'cam0', 1);
    expect(path).toBe(join(take.folder, 'cam0', '0001.mkv'));
    expect(fileName).toBe('one-cam0-0001.mkv');
    for (const [camera, segment] of [
      ['cam0', 2],
      ['cam0', 3],
      ['../one/cam0', 1],
      ['__proto__', 1],
      ['', 1],
    ] as const) {
      await expect(store.masterPath('one', camera, segment)).rejects.toMatchObject({
        code: 'TAKE_NOT_FOUND',
      });
    }
  });

  it('leaves no folder of a take whose take.json cannot be written', async () => {
    // What a disk does that fails after the folder was made.
    vi.spyOn(Take, 'create').mockImplementationOnce(async (folder) => {
      await mkdir(join(folder, 'cam0'), { recursive: true });
      throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO', syscall: 'write' });
    });
    await expect(store.createTake('one', new Date())).rejects.toMatchObject({ code: 'DISK_UNAVAILABLE' });
    expect(await readdir(store.root)).toEqual([]);
  });

  it('writes concurrent changes of take.json one after another', async () => {
    const take = await store.createTake('one', new Date());
    await take.update((manifest) => ({ ...manifest, cameras: { cam0: aRecord() } }));
    const bump = () => take.updateCamera('cam0', (record) => ({ ...record, threads: record.threads + 1 }));
    await Promise.all(Array.from({ length: 20 }, bump));
    expect(take.manifest.cameras.cam0?.threads).toBe(21);
    await expect(take.updateCamera('cam9', (record) => record)).rejects.toMatchObject({
      code: 'TAKE_MANIFEST_INVALID',
    });
    await bump();
    expect(take.manifest.cameras.cam0?.threads).toBe(22);
  });
});

describe('the manifest', () => {
  it('states the totals of its segments, with the loss between them', () => {
    expect(withTotals(aRecord())).toMatchObject({ frames: 200, droppedFrames: 2 * 3 + 2 * 4 });
  });

  it('counts frames in unreadable files as dropped, once', () => {
    const aside = (number: number, frames: number | null) => {
      const at = '2026-11-22T12:00:00.000Z';
      return { number, file: `cam0/000${number}.mkv.unreadable-1`, bytes: 1, frames, at };
    };
    // Those before a segment are part of what is missing before it.
    const record = { ...aRecord(), unreadable: [aside(1, 40), aside(3, 50), aside(4, null)] };
    expect(withTotals(record).droppedFrames).toBe(2 * 3 + 2 * 4 + 50);
    expect(concluded(record, null)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('0001.mkv'),
    });
    const small = { ...recordFixture(), unreadable: [aside(3, 5)] };
    expect(concluded(small, 'as asked')).toMatchObject({ state: 'verified', reason: 'as asked' });
    expect(concluded({ ...small, unreadable: [aside(3, null)] }, null)).toMatchObject({ state: 'failed' });
  });

  it('has the state of its most active camera, then of its worst', () => {
    expect(takeState([], true)).toBe('starting');
    expect(takeState([], false)).toBe('failed');
    expect(takeState(['verified', 'verified'], false)).toBe('verified');
    expect(takeState(['verified', 'failed'], false)).toBe('failed');
    expect(takeState(['failed', 'finishing'], false)).toBe('finishing');
    expect(takeState(['starting', 'recording'], true)).toBe('recording');
  });

  it('names folders in UTC', () => {
    expect(takeFolderName('x', new Date('2026-01-02T03:04:05.678Z'))).toBe('20260102T030405Z-x');
  });
});

function aRecord(): CameraRecord {
  const segment = (number: number, state: 'closed' | 'spooled') => ({
    number,
    state,
    file: `cam0/000${number}.mkv`,
    spool: null,
    bytes: 1,
    frames: 100,
    droppedFrames: 3,
    droppedBefore: 4,
    firstTimestamp: null,
    lastTimestamp: null,
    timecode: null,
    sensorTimes: null,
    sha256: null,
    framemd5: { file: `cam0/000${number}.framemd5`, sha256: null },
    clean: true,
    verified: null,
    checkedAt: null,
  });
  const source = {
    codec: 'rawvideo',
    pixelFormat: 'yuv420p',
    range: 'limited',
    fps: 30,
    width: 2,
    height: 2,
    clock: 'epoch',
  } as const;
  return {
    state: 'finishing',
    reason: null,
    codec: 'ffv1',
    strategy: 'direct',
    strategyReason: '',
    source,
    threads: 1,
    frames: 0,
    droppedFrames: 0,
    segments: [segment(1, 'closed'), segment(2, 'spooled')],
    unreadable: [],
    clockSteps: [],
  };
}
