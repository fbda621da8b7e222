import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { StateStore } from './state.ts';

const counter = { name: 'counter', schema: z.object({ count: z.int().default(0) }) };
let folder: string;
let file: string;

async function open(): Promise<StateStore> {
  const store = new StateStore({ file, logger: pino({ level: 'silent' }) });
  await store.load();
  return store;
}

const onDisk = () => JSON.parse(readFileSync(file, 'utf8'));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-state-'));
  file = join(folder, 'data', 'state.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('StateStore', () => {
  it('starts empty and remembers', async () => {
    const store = await open();
    expect(store.get(counter)).toEqual({ count: 0 });
    await Promise.all(
      Array.from({ length: 20 }, () => store.update(counter, ({ count }) => ({ count: count + 1 }))),
    );
    expect((await open()).get(counter)).toEqual({ count: 20 });
    expect(readdirSync(join(folder, 'data'))).toEqual(['state.json']);
  });

  it('keeps what another release wrote: fields, sections and version', async () => {
    await (await open()).update(counter, () => ({ count: 1 }));
    writeFileSync(file, JSON.stringify({ version: 7, counter: { count: 1, since: 'x' }, other: { a: [1] } }));
    await (await open()).update(counter, () => ({ count: 2 }));
    expect(onDisk()).toEqual({ version: 7, counter: { count: 2, since: 'x' }, other: { a: [1] } });
  });

  it('sets a broken file aside', async () => {
    await (await open()).update(counter, () => ({ count: 1 }));
    writeFileSync(file, '{"version": 1, "counter": {"cou');
    const store = await open();
    expect(store.get(counter)).toEqual({ count: 0 });
    expect(readFileSync(`${file}.broken`, 'utf8')).toContain('"cou');
  });

  it('treats an invalid section as empty and keeps the others', async () => {
    const store = await open();
    await store.update(counter, () => ({ count: 1 }));
    writeFileSync(file, JSON.stringify({ version: 1, counter: { count: 'many' }, other: 1 }));
    const again = await open();
    expect(again.get(counter)).toEqual({ count: 0 });
    await again.update(counter, () => ({ count: 3 }));
    expect(onDisk()).toMatchObject({ counter: { count: 3 }, other: 1 });
  });

  it('removes what a crash during a write left behind', async () => {
    await (await open()).update(counter, () => ({ count: 1 }));
    const leftover = join(folder, 'data', '.state.json.tmp-1234');
    writeFileSync(leftover, 'half');
    await open();
    expect(existsSync(leftover)).toBe(false);
  });

  it('undoes a change that cannot be written and continues', async () => {
    const store = await open();
    rmSync(join(folder, 'data'), { recursive: true, force: true });
    writeFileSync(join(folder, 'data'), 'not a folder');
    await expect(store.update(counter, () => ({ count: 1 }))).rejects.toMatchObject({
      code: 'STATE_UNAVAILABLE',
    });
    expect(store.get(counter)).toEqual({ count: 0 });
    rmSync(join(folder, 'data'));
    await store.update(counter, () => ({ count: 2 }));
    expect((await open()).get(counter)).toEqual({ count: 2 });
  });

  it('rejects use before it was loaded', () => {
    const store = new StateStore({ file, logger: pino({ level: 'silent' }) });
    expect(() => store.get(counter)).toThrow('not been loaded');
  });
});
