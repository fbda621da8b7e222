import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, test } from 'vitest';
import type { TakeManifest } from '../../media/index.ts';
import { Health } from '../system/health.ts';
import { TroubleWatch } from '../system/trouble-watch.ts';
import { damageIn, mastersTrouble } from './masters-health.ts';

const manifest = (id: string, ok: boolean, checkedAt: string | null) =>
  ({
    id,
    cameras: { cam0: { segments: [{ checkedAt, verified: { ok } }] } },
  }) as unknown as TakeManifest;
const found = '2026-11-22T12:00:00.000Z';

test('names masters that were found damaged and unreadable takes', () => {
  expect(damageIn([])).toBeNull();
  expect(damageIn([{ manifest: manifest('fine', true, found), damage: null }])).toBeNull();
  // That one failed when it was recorded, and was said then.
  expect(damageIn([{ manifest: manifest('old', false, null), damage: null }])).toBeNull();
  const takes = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({
    manifest: manifest(id, false, found),
    damage: null,
  }));
  expect(damageIn([...takes, { manifest: manifest('torn', true, null), damage: 'it is empty' }])).toBe(
    'kept masters are damaged: cam0 of take a, cam0 of take b, cam0 of take c, cam0 of take d, cam0 of take e and 2 more; ' +
      'take.json is damaged of take torn',
  );
});

test('shows a failing or read-only disk in the health', async () => {
  const root = await mkdtemp(join(tmpdir(), 'masters-health-'));
  const health = new Health();
  const ending = new AbortController();
  const masters: { diskTrouble: string | null } = { diskTrouble: null };
  const store = { root: join(root, 'takes'), all: async () => [] };
  const running = new TroubleWatch({
    trouble: () => mastersTrouble(masters, store),
    logLine: 'masters are in danger',
    everyMs: 10,
    log: pino({ level: 'silent' }),
    register: () => health.register('masters', { core: false }),
  }).run(ending.signal);
  const state = () => health.snapshot().components[0];
  try {
    await expect.poll(state).toEqual({ name: 'masters', state: 'ok', reason: null });
    masters.diskTrouble = 'the disk of the masters failed (EIO)';
    await expect.poll(state).toMatchObject({ state: 'degraded', reason: masters.diskTrouble });
    masters.diskTrouble = null;
    await expect.poll(state).toMatchObject({ state: 'ok' });
    store.root = join(import.meta.filename, 'takes');
    await expect.poll(() => state()?.reason ?? 'ok').not.toBe('ok');
  } finally {
    ending.abort();
    await running;
    await rm(root, { recursive: true, force: true });
  }
});
