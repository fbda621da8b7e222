import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { link, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpawningChildHost } from '../../../common/child-host.fake.ts';
import { decodeFile } from '../proof/verify.ts';
import { recordArgv, transcodeArgv } from '../recorder/recorder-command.ts';
import { takeManifestSchema } from '../take/manifest.ts';
import { parseManifest, Take } from '../take/take.ts';
import { manifestFixture, recordFixture } from '../take/take-manifest.fixture.ts';
import { TakeStore } from '../take/take-store.ts';
import { writeTimecode } from '../timing/matroska-timecode.ts';
import { replaceTakeFile } from './atomic-file.ts';

const logger = pino({ level: 'silent' });
const never = new AbortController().signal;
const folderName = '20261122T120000Z-abc123';
const real = `${JSON.stringify(manifestFixture(), null, 2)}\n`;

describe('what a strange disk contains', () => {
  let disk: string;
  let root: string;
  let outside: string;
  let store: TakeStore;

  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'strange-disk-'));
    root = join(disk, 'takes');
    outside = join(disk, 'outside');
    await mkdir(root);
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'a token');
    store = new TakeStore({ logger, roots: () => [root] });
  });

  afterEach(() => rm(disk, { recursive: true, force: true }));

  async function layTake(text: string | Uint8Array = real, name = folderName) {
    const folder = join(root, name);
    await mkdir(join(folder, 'cam0'), { recursive: true });
    await writeFile(join(folder, 'cam0', '0001.mkv'), 'frames');
    await writeFile(join(folder, 'take.json'), text);
    return folder;
  }

  it('reads a real take', async () => {
    await layTake();
    expect(await store.list()).toEqual([manifestFixture()]);
  });

  it.each([
    ['a month 31', real.replace('2026-11-22T12:00:00.000Z', '2026-31-22T12:00:00.000Z')],
    ['nothing', ''],
    ['NULs', '\0'.repeat(real.length)],
    ['half of it', real.slice(0, real.length / 2)],
    ['another shape', '[]'],
    ['null', 'null'],
    ['another version', real.replace('"version": 1', '"version": 9')],
    ['a depth without end', '['.repeat(200_000)],
    ['a camera that is a path', real.replace('"cam0": {', '"../../outside": {')],
    ['an id that is a path', real.replace('"abc123"', '"../outside"')],
    ['a filter for a pixel format', real.replace('yuv422p|yuv420p', 'yuv420p,metadata=print:file=/x')],
    ['an option for a timecode', real.replace('12:00:00:00', '0 -y /x')],
    ['threads without end', real.replace('"threads": 4', '"threads": 1e9')],
    ['a codec that is none', real.replace('"rawvideo"', '"concat"')],
    ['a size that is none', real.replace('"width": 1920', '"width": -1')],
  ])('lists a take whose take.json holds %s as damaged and keeps its masters', async (_what, text) => {
    expect(text).not.toBe(real);
    const folder = await layTake(text);
    await layTake(
      real.replace('abc123', 'fine').replace('T12:00:00.000Z', 'T11:00:00.000Z'),
      '20261122T110000Z-fine',
    );
    const [damaged, fine] = await store.list();
    expect(fine?.id).toBe('fine');
    expect(damaged).toMatchObject({ id: 'abc123', state: 'failed', startedAt: '2026-11-22T12:00:00.000Z' });
    expect(damaged?.cameras.cam0).toMatchObject({ state: 'failed', segments: [{ number: 1, bytes: 6 }] });
    expect(damaged?.cameras.cam0?.reason).toContain('take.json is damaged');
    expect((await store.unfinished()).map(({ manifest }) => manifest.id)).toEqual([]);
    expect((await store.masterPath('abc123', 'cam0', 1)).path).toBe(join(folder, 'cam0', '0001.mkv'));
    const take = await store.get('abc123');
    await expect(take.update((old) => old)).rejects.toMatchObject({ code: 'TAKE_DAMAGED' });
    expect(await readFile(join(folder, 'take.json'), 'utf8')).toBe(text);
    await store.remove('abc123');
    expect(await readdir(root)).toEqual(['20261122T110000Z-fine']);
  });

  it('lists a take without its take.json, and lists it normally once take.json is repaired', async () => {
    const folder = await layTake();
    await rm(join(folder, 'take.json'));
    expect(await store.list()).toMatchObject([{ id: 'abc123', state: 'failed' }]);
    await writeFile(join(folder, 'take.json'), real);
    expect(await store.list()).toEqual([manifestFixture()]);
  });

  it('survives any damage to a real take.json: every listed take is valid and has a date', {
    timeout: 120_000,
  }, async () => {
    const folder = await layTake();
    const file = join(folder, 'take.json');
    const bytes = Buffer.from(real);
    const at = fc.nat({ max: bytes.length - 1 });
    const damage = fc.oneof(
      fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat({ max: 7 }) }),
      fc.record({ kind: fc.constant('byte' as const), at, bit: fc.nat({ max: 255 }) }),
      fc.record({ kind: fc.constant('cut' as const), at, bit: fc.constant(0) }),
      fc.record({ kind: fc.constant('zero' as const), at, bit: fc.nat({ max: 255 }) }),
      fc.record({ kind: fc.constant('double' as const), at, bit: fc.nat({ max: 255 }) }),
    );
    const apply = (text: Buffer, one: { kind: string; at: number; bit: number }): Buffer => {
      const next = Buffer.from(text);
      if (one.at >= next.length) return next;
      if (one.kind === 'flip') next[one.at] = (next[one.at] ?? 0) ^ (1 << one.bit);
      if (one.kind === 'byte') next[one.at] = one.bit;
      if (one.kind === 'zero') next.fill(0, one.at, Math.min(next.length, one.at + one.bit));
      if (one.kind === 'cut') return next.subarray(0, one.at);
      if (one.kind === 'double')
        return Buffer.concat([next.subarray(0, one.at), next.subarray(Math.max(0, one.at - one.bit))]);
      return next;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
        await writeFile(file, damages.reduce(apply, bytes));
        const another = new TakeStore({ logger, roots: () => [root] });
        const takes = await another.list();
        expect(takes).toHaveLength(1);
        for (const take of takes) {
          expect(takeManifestSchema.parse(take)).toEqual(take);
          expect(Number.isNaN(Date.parse(take.startedAt))).toBe(false);
        }
        await another.unfinished();
      }),
      { numRuns: 400 },
    );
  });

  it('passes nothing from a take.json to a command but names, numbers and formats', () => {
    const text = fc.string({ maxLength: 40 });
    fc.assert(
      fc.property(text, text, (pixelFormat, camera) => {
        const record = recordFixture();
        const manifest = manifestFixture({
          cameras: { [camera]: { ...record, source: { ...record.source, pixelFormat } } },
        });
        try {
          const read = parseManifest(JSON.stringify(manifest));
          const [entry] = Object.entries(read.cameras);
          // A name that would reach a prototype is dropped with its camera.
          if (entry === undefined) {
            expect(camera).toBe('__proto__');
            return;
          }
          const [name, found] = entry;
          const files = new Take('/takes/x', read).files(name, 1);
          const settings = { codec: 'ffv1', raw: found.source, threads: 1 } as const;
          const argv = [
            ...recordArgv('/pipe', files, 'direct', settings),
            ...transcodeArgv(files, settings, { frames: 1, timecode: '00:00:00:00' }),
          ].join(' ');
          expect(argv).not.toMatch(/[';,=]\s*metadata|\.\.\//);
          expect(pixelFormat).toMatch(/^[a-z0-9|]+$/);
          expect(name).toMatch(/^[a-z0-9_-]+$/);
        } catch (error) {
          expect(error).toMatchObject({ code: 'TAKE_MANIFEST_INVALID' });
        }
      }),
      { examples: [['yuv420p', '__proto__']] },
    );
  });

  it('lists no link to a folder and removes nothing behind one', async () => {
    await mkdir(join(outside, 'cam0'));
    await writeFile(join(outside, 'take.json'), real);
    await symlink(outside, join(root, folderName));
    expect(await store.list()).toEqual([]);
    await expect(store.remove('abc123')).rejects.toMatchObject({ code: 'TAKE_NOT_FOUND' });
    expect((await readdir(outside)).toSorted()).toEqual(['cam0', 'secret', 'take.json']);
  });

  it('removes a link that replaced a known folder, not what is behind it', async () => {
    const folder = await layTake();
    await store.list();
    await rm(folder, { recursive: true });
    await symlink(outside, folder);
    await expect(store.remove('abc123')).rejects.toMatchObject({ code: 'TAKE_NOT_REMOVED' });
    expect(await readdir(outside)).toEqual(['secret']);
  });

  it('never serves a link, pipe, socket or folder as a master', async () => {
    const folder = await layTake();
    const master = join(folder, 'cam0', '0001.mkv');
    const refused = () =>
      expect(store.masterPath('abc123', 'cam0', 1)).rejects.toMatchObject({ code: 'TAKE_NOT_FOUND' });
    expect((await store.masterPath('abc123', 'cam0', 1)).path).toBe(master);
    await rm(master);
    await symlink(join(outside, 'secret'), master);
    await refused();
    await rm(master);
    execFileSync('mkfifo', [master]);
    await refused();
    await rm(master);
    const socket = createServer().listen(master);
    await once(socket, 'listening');
    await refused();
    socket.close();
    await rm(master, { force: true });
    await mkdir(master);
    await refused();
    await rm(join(folder, 'cam0'), { recursive: true });
    await symlink(outside, join(folder, 'cam0'));
    await refused();
  });

  it('counts a take as damaged if its camera folder points elsewhere', async () => {
    const folder = await layTake();
    await rm(join(folder, 'cam0'), { recursive: true });
    await symlink(outside, join(folder, 'cam0'));
    expect(await store.list()).toMatchObject([{ state: 'failed', cameras: {} }]);
    await store.remove('abc123');
    expect(await readdir(outside)).toEqual(['secret']);
  });

  it.each(['fifo', 'link', 'folder', 'giant'])('does not wait for a take.json that is a %s', async (kind) => {
    const folder = await layTake();
    const file = join(folder, 'take.json');
    await rm(file);
    if (kind === 'fifo') execFileSync('mkfifo', [file]);
    if (kind === 'link') await symlink(join(outside, 'secret'), file);
    if (kind === 'folder') await mkdir(file);
    if (kind === 'giant') execFileSync('truncate', ['-s', '40G', file]);
    expect(await store.list()).toMatchObject([{ id: 'abc123', state: 'failed' }]);
  });

  it('never writes through a link that lies where a file belongs', async () => {
    const folder = await layTake();
    const file = join(folder, 'take.json');
    await rm(file);
    await symlink(join(outside, 'secret'), file);
    await replaceTakeFile(file, 'new');
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('a token');
    expect((await lstat(file)).isFile()).toBe(true);
    await symlink(join(outside, 'secret'), join(folder, 'cam0', '0002.mkv'));
    await expect(writeTimecode(join(folder, 'cam0', '0002.mkv'), '00:00:00:01')).rejects.toMatchObject({
      code: 'ELOOP',
    });
    await link(join(outside, 'secret'), join(folder, 'cam0', '0003.mkv'));
    await expect(writeTimecode(join(folder, 'cam0', '0003.mkv'), '00:00:00:01')).rejects.toMatchObject({
      code: 'MATROSKA_INVALID',
    });
  });

  it('never decodes a link or a playlist that is named like a master', async () => {
    const folder = await layTake();
    const host = new SpawningChildHost();
    const picture = join(outside, 'picture.mkv');
    execFileSync('ffmpeg', [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=64x64:d=0.2',
      '-c:v',
      'ffv1',
      picture,
    ]);
    const master = join(folder, 'cam0', '0001.mkv');
    await writeFile(master, `ffconcat version 1.0\nfile ${picture}\n`);
    await expect(decodeFile({ host, name: 'list', file: master, signal: never })).rejects.toMatchObject({
      code: 'FFMPEG_FAILED',
    });
    await rm(master);
    await symlink(picture, master);
    await expect(decodeFile({ host, name: 'link', file: master, signal: never })).rejects.toMatchObject({
      code: 'FILE_STRANGE',
    });
  });

  it('survives file names of arbitrary bytes', async () => {
    const odd = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe, 0x0a, 0x27])]);
    await mkdir(odd);
    await layTake();
    const inside = Buffer.concat([
      Buffer.from(`${join(root, folderName, 'cam0')}/`),
      Buffer.from([0xff, 0x41]),
    ]);
    await writeFile(inside, 'x');
    expect(await store.list()).toMatchObject([{ id: 'abc123' }]);
    await store.remove('abc123');
    expect(await store.list()).toEqual([]);
  });
});
