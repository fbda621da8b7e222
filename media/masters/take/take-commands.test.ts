import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Masters } from '../masters.ts';
import type { MastersSettings } from '../masters-options.ts';
import { EncodeSpeed } from '../recorder/encode-speed.ts';
import { RecordRates } from '../recorder/record-rates.ts';
import { RecordingRig, until } from '../recorder/recording-rig.fake.ts';
import { TakeStore } from './take-store.ts';

/** Commands of takes that come while others are carried out. */
describe('Masters with commands in quick succession', { timeout: 120_000 }, () => {
  let rig: RecordingRig;

  beforeEach(async () => {
    rig = await RecordingRig.open();
  });

  afterEach(() => rig[Symbol.asyncDispose]());

  it.each([0, 1, 5, 20, 100, 400])('ends a take that is stopped %i ms into its start', async (gapMs) => {
    const { masters, store, stop } = start();
    await rig.startCapture();
    const starting = masters.start('one', null);
    await sleep(gapMs);
    await masters.stop('one');
    await starting;
    expect(recorders()).toEqual([]);
    expect(masters.recording).toEqual([]);
    const { manifest } = await store.get('one');
    expect(manifest.wanted).toBe(false);
    await until(() => store.get('one').then((take) => ['failed', 'verified'].includes(take.manifest.state)));

    await masters.start('two', null);
    await until(() => (masters.progress('two').get('cam0')?.frames ?? 0) >= 5);
    await masters.stop('two');
    await until(() => store.get('two').then((take) => take.manifest.state === 'verified'));
    await masters.remove('one');
    await masters.remove('two');
    expect(await readdir(store.root)).toEqual([]);
    await stop();
  });

  it('stops a take that is still being resumed after a crash', async () => {
    const before = start();
    await rig.startCapture();
    await before.masters.start('one', null);
    await until(() => (before.masters.progress('one').get('cam0')?.frames ?? 0) >= 5);
    rig.host = rig.host.crash();

    const after = start();
    const { manifest } = await after.masters.stop('one');
    expect(manifest.wanted).toBe(false);
    expect(recorders()).toEqual([]);
    await until(() => after.store.get('one').then((take) => take.manifest.state === 'verified'));
    await after.masters.start('two', null);
    await until(() => (after.masters.progress('two').get('cam0')?.frames ?? 0) >= 5);
    await after.stop();
  });

  it('stops a take whose recorder had started but was not in take.json when the program crashed', async () => {
    const before = start();
    await before.masters.start('one', null);
    await until(() => recorders().length === 1);
    rig.host = rig.host.crash();

    await rig.startCapture();
    const after = start();
    await after.masters.stop('one');
    expect(recorders()).toEqual([]);
    await until(() =>
      after.store.get('one').then((take) => ['failed', 'verified'].includes(take.manifest.state)),
    );
    await after.masters.remove('one');
    await after.stop();
  });

  it('ends a take that is still starting when the program ends', async () => {
    const { masters, store, stop } = start();
    await rig.startCapture();
    const starting = masters.start('one', null);
    await stop();
    await starting.catch(() => {});
    expect(recorders()).toEqual([]);
    const takes = await store.list();
    expect(takes.filter(({ wanted }) => wanted)).toEqual([]);
    await expect(masters.start('two', null)).rejects.toMatchObject({ code: 'MASTERS_REFUSED' });
  });

  it('records a camera for one take at a time', async () => {
    const { masters, stop } = start();
    await rig.startCapture();
    await masters.start('one', null);
    await expect(masters.start('two', null)).rejects.toMatchObject({ code: 'MASTERS_REFUSED' });
    expect(masters.recording).toEqual(['one']);
    await stop();
  });

  it('stops a take whose folder is gone', async () => {
    const { masters, store, stop } = start();
    await rig.startCapture();
    const { folder } = await masters.start('one', null);
    await until(() => (masters.progress('one').get('cam0')?.frames ?? 0) >= 5);
    await rm(folder, { recursive: true });
    await store.list();
    await masters.stop('one');
    expect(recorders()).toEqual([]);
    await stop();
  });

  it('leaves nothing of a start that the disk refuses', async () => {
    const { masters, store, stop } = start({ reserveBytes: Number.MAX_SAFE_INTEGER });
    await expect(masters.start('one', null)).rejects.toMatchObject({ code: 'DISK_RESERVE_REACHED' });
    expect(await store.list()).toEqual([]);
    await stop();
  });

  it('starts those of the named cameras that are present', async () => {
    const { masters, stop } = start();
    await rig.startCapture();
    const take = await masters.start('one', ['cam0', 'unplugged']);
    expect(Object.keys(take.manifest.cameras)).toEqual(['cam0']);
    await stop();
  });

  function recorders(): string[] {
    return [...rig.host.running.keys()].filter((name) => name.startsWith('record-'));
  }

  function start(settings: Partial<MastersSettings> = {}) {
    const root = join(rig.folder, 'takes');
    const { host, logger } = rig;
    const store = new TakeStore({ logger, roots: () => [root] });
    const cacheFile = join(rig.folder, 'speed.json');
    const masters = new Masters({
      host,
      logger,
      store,
      speed: new EncodeSpeed({ host, logger, cacheFile, scratch: rig.folder, version: '1' }),
      rates: new RecordRates({ cacheFile: join(rig.folder, 'rates.json'), logger }),
      settings: () => ({ codec: 'ffv1', strategy: 'direct', reserveBytes: 1, ...settings }),
      cameras: () => [{ camera: 'cam0', raw: rig.command().raw }],
      pipeOf: () => rig.pipe,
    });
    const ending = new AbortController();
    const running = masters.run(ending.signal);
    const stop = async () => {
      ending.abort();
      await running;
    };
    return { masters, store, stop };
  }
});
