import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MasterCheckProgress, TakeStore } from '../../media/index.ts';
import { takeSchema } from '../contract/index.ts';
import { LocalTakesOfMasters } from './local-takes.ts';

const log = pino({ level: 'silent' });
const segment = {
  number: 1,
  state: 'closed',
  file: 'cam0/0001.mkv',
  spool: null,
  bytes: 1000,
  frames: 100,
  droppedFrames: 0,
  droppedBefore: 0,
  timecode: null,
  firstTimestamp: null,
  lastTimestamp: null,
  sha256: null,
  framemd5: { file: 'cam0/0001.framemd5', sha256: null },
  clean: true,
  verified: null,
};
const source = {
  codec: 'rawvideo',
  pixelFormat: 'yuv420p',
  range: 'limited',
  fps: 30,
  width: 64,
  height: 64,
  clock: 'epoch',
};
const cam0 = {
  state: 'verified',
  reason: null,
  codec: 'ffv1',
  strategy: 'direct',
  strategyReason: '',
  source,
  threads: 1,
  frames: 100,
  droppedFrames: 0,
  segments: [segment],
};
const real = JSON.stringify({
  version: 1,
  id: 'abc123',
  startedAt: '2026-11-22T12:00:00.000Z',
  stoppedAt: '2026-11-22T12:00:05.000Z',
  wanted: false,
  state: 'verified',
  cameras: { cam0 },
});

let root: string;
let folder: string;
let requested: string[];
let progress: MasterCheckProgress | null;
let takes: LocalTakesOfMasters;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'local-takes-'));
  folder = join(root, '20261122T120000Z-abc123');
  requested = [];
  progress = null;
  await mkdir(join(folder, 'cam0'), { recursive: true });
  await writeFile(join(folder, 'cam0', '0001.mkv'), 'frames');
  takes = open();
});

afterEach(() => rm(root, { recursive: true, force: true }));

function open(): LocalTakesOfMasters {
  const none = {
    progress: () => new Map(),
    silence: () => null,
    isStopped: () => false,
    finishing: () => new Map([['cam0', { done: 0.5, remainingS: 8 }]]),
  };
  return new LocalTakesOfMasters({
    masters: none as unknown as ConstructorParameters<typeof LocalTakesOfMasters>[0]['masters'],
    store: new TakeStore({ logger: log, roots: () => [root] }),
    check: {
      get progress() {
        return progress;
      },
      request: (id) => void requested.push(id),
    },
    recordable: () => [],
    log,
  });
}

test('the API only returns takes, whatever happened to a take.json', async () => {
  const at = fc.nat({ max: real.length - 1 });
  await fc.assert(
    fc.asyncProperty(at, fc.nat({ max: 60 }), fc.string({ maxLength: 12 }), async (from, cut, put) => {
      await writeFile(join(folder, 'take.json'), real.slice(0, from) + put + real.slice(from + cut));
      const list = await open().list();
      expect(list).toHaveLength(1);
      for (const take of list) expect(takeSchema.parse(take)).toEqual(take);
    }),
    { numRuns: 300 },
  );
});

test('checks a take on request, but not a damaged or unfinished one', async () => {
  await writeFile(join(folder, 'take.json'), real);
  await takes.checkTake('abc123');
  expect(requested).toEqual(['abc123']);
  progress = { take: 'abc123', camera: 'cam0', done: 0, of: 2 };
  expect(await takes.list()).toMatchObject([{ cameras: [{ checking: { done: 0, of: 2 } }] }]);
  await expect(takes.checkTake('other')).rejects.toMatchObject({ code: 'TAKE_NOT_FOUND' });

  await writeFile(
    join(folder, 'take.json'),
    real.replaceAll('"verified"', '"finishing"').replace('"finishing":null', '"verified":null'),
  );
  await expect(open().checkTake('abc123')).rejects.toMatchObject({ code: 'TAKE_UNFINISHED' });
  const [unfinished] = await open().list();
  expect(unfinished?.cameras[0]?.finishing).toEqual({ done: 0.5, remainingS: 8 });

  await writeFile(join(folder, 'take.json'), real.slice(0, 100));
  await expect(open().checkTake('abc123')).rejects.toMatchObject({ code: 'TAKE_DAMAGED' });
});
