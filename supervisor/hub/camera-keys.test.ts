import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateStore } from '../config/state.ts';
import { CameraKeys } from './camera-keys.ts';

const log = pino({ level: 'silent' });
const left = { id: 'cam-left', name: 'left' };
let folder: string;
let store: FakeKeys;

class FakeKeys {
  keys: { id: string; role: string; subject: string }[] = [];
  list = () => this.keys;
  async create(role: string, subject: string) {
    const id = `key-${this.keys.length}-${subject}`;
    this.keys = [...this.keys, { id, role, subject }];
    return { token: id };
  }
  async revoke(id: string) {
    this.keys = this.keys.filter((key) => key.id !== id);
    return true;
  }
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-camera-keys-'));
  store = new FakeKeys();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** As after a start: what is known comes from the disk. */
async function open(): Promise<CameraKeys> {
  const state = new StateStore({ file: join(folder, 'state.json'), logger: log });
  await state.load();
  return new CameraKeys(store, state, log);
}

const byHand = async (subject: string) => (await store.create('camera', subject)).token;

describe('a key', () => {
  test('made for a name belongs to the first camera of that name, even after a restart', async () => {
    const key = await byHand('left');
    expect(await (await open()).claim(key, left)).toBeNull();
    const later = await open();
    expect(await later.claim(key, { id: 'other', name: 'left' })).toMatchObject({
      reason: expect.stringContaining('belongs to the camera cam-left'),
    });
    // Its owner may call it something else.
    expect(await later.claim(key, { ...left, name: 'renamed' })).toBeNull();
  });

  test('belongs to one camera if many claim it at once', async () => {
    const key = await byHand('left');
    const keys = await open();
    const claims = Array.from({ length: 30 }, (_, n) => keys.claim(key, { id: `cam-${n}`, name: 'left' }));
    const refusals = await Promise.all(claims);
    expect(refusals.filter((one) => one === null)).toHaveLength(1);
  });

  test('made for a name does not identify a camera that has its own key', async () => {
    const keys = await open();
    await keys.issue('cam-victim');
    const key = await byHand('left');
    expect(await keys.claim(key, { id: 'cam-victim', name: 'left' })).toMatchObject({
      reason: expect.stringContaining('another key'),
    });
    expect(await keys.claim(key, left)).toBeNull();
  });

  test('that was revoked, or is not a camera’s, identifies nobody', async () => {
    const keys = await open();
    const { token: owner } = await store.create('owner', 'left');
    expect(await keys.claim(owner, left)).not.toBeNull();
    expect(await keys.claim('never-made', left)).not.toBeNull();
  });

  test('works with a read-only disk, and still for one camera alone', async () => {
    const key = await byHand('left');
    const keys = await open();
    await mkdir(join(folder, 'state.json', 'in-the-way'), { recursive: true });
    expect(await keys.claim(key, left)).toBeNull();
    expect(await keys.claim(key, { id: 'other', name: 'left' })).not.toBeNull();
  });
});

describe('a camera that is un-adopted', () => {
  test.each([
    ['its id', 'cam-left'],
    ['its name', 'left'],
  ])('loses its key that was made for %s', async (_what, subject) => {
    const key = await byHand(subject);
    const stranger = await byHand('right');
    const keys = await open();
    expect(await keys.claim(key, left)).toBeNull();
    expect(keys.has('cam-left')).toBe(true);
    await keys.revoke({ id: 'cam-left', name: null });
    expect(store.keys.map(({ id }) => id)).toEqual([stranger]);
    expect(await keys.claim(key, left)).not.toBeNull();
  });

  test('also loses an unused key for its name, and no key of another camera of that name', async () => {
    const mine = await byHand('left');
    const keys = await open();
    await keys.claim(mine, left);
    const others = await byHand('left');
    await keys.claim(others, { id: 'cam-2', name: 'left' });
    await byHand('left');
    await keys.revoke(left);
    expect(store.keys.map(({ id }) => id)).toEqual([others]);
  });
});
