import { existsSync } from 'node:fs';
import { open, readFile, rename, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectedRates, freeBytes } from './disk/disk.ts';
import { Masters } from './masters.ts';
import type { MastersSettings } from './masters-options.ts';
import { MasterCheck } from './proof/master-check.ts';
import { EncodeSpeed } from './recorder/encode-speed.ts';
import { RecordRates } from './recorder/record-rates.ts';
import { cameraOf, contiguousFrom, RecordingRig, readFrames, until } from './recorder/recording-rig.fake.ts';
import { takeManifestSchema } from './take/manifest.ts';
import { TakeStore } from './take/take-store.ts';

describe('Masters', { timeout: 120_000 }, () => {
  let rig: RecordingRig;

  beforeEach(async () => {
    rig = await RecordingRig.open();
  });

  afterEach(() => rig[Symbol.asyncDispose]());

  it('records a take with a correct take.json and later finds a flipped bit in it', async () => {
    const { masters, store, stop } = start();
    await rig.startCapture();
    const take = await masters.start('one', null);
    await until(() => (masters.progress('one').get('cam0')?.frames ?? 0) >= 30);
    expect(masters.recording).toEqual(['one']);
    await masters.stop('one');
    await until(() => cameraOf(take).state === 'verified');

    const text = await readFile(join(take.folder, 'take.json'), 'utf8');
    const written = takeManifestSchema.parse(JSON.parse(text));
    expect(written).toEqual(take.manifest);
    expect(written).toMatchObject({ state: 'verified', wanted: false });
    const segment = cameraOf(written).segments[0];
    const frames = await readFrames(take.files('cam0', 1).reference);
    expect(segment).toMatchObject({ frames: frames.length, droppedFrames: 0 });
    const startS = Date.parse(segment?.firstTimestamp ?? '') / 1e3;
    const endS = Date.parse(segment?.lastTimestamp ?? '') / 1e3;
    expect(Math.round((endS - startS) * 30)).toBe(frames.length - 1);
    expect(Math.abs(Date.parse(written.startedAt) / 1e3 - startS)).toBeLessThan(30);
    expect(segment?.timecode?.slice(0, 8)).toBe(segment?.firstTimestamp?.slice(11, 19));

    const { path } = await store.masterPath('one', 'cam0', 1);
    await flipBit(path);
    const check = new MasterCheck({
      host: rig.host,
      logger: rig.logger,
      takes: () => store.all(),
      roots: async () => store.roots,
      isBusy: () => masters.isBusy,
    });
    const ending = new AbortController();
    const checking = check.run(ending.signal);
    check.request('one');
    await until(() => !check.isWanted('one'));
    const problems = cameraOf(take).segments[0]?.verified?.problems ?? [];
    expect(cameraOf(take)).toMatchObject({ state: 'failed', segments: [{ verified: { ok: false } }] });
    expect(cameraOf(take).reason).toMatch(/^segment 1 is damaged, found 2\d\d\d-/);
    expect(problems.join('\n')).toMatch(/SHA-256 differs/);
    expect(problems.join('\n')).toMatch(/CRC|differ from what was received/);
    // Brought back from a copy, it is right again.
    await flipBit(path);
    check.request('one');
    await until(() => !check.isWanted('one'));
    expect(cameraOf(take)).toMatchObject({ state: 'verified', reason: null });
    ending.abort();
    await checking;
    await stop();
  });

  it('takes over a running recorder after a crash of the supervisor', async () => {
    const before = start();
    await rig.startCapture();
    await before.masters.start('one', null);
    await until(() => (before.masters.progress('one').get('cam0')?.frames ?? 0) >= 15);
    rig.host = rig.host.crash();

    const after = start();
    await until(() => (after.masters.progress('one').get('cam0')?.frames ?? 0) >= 45);
    const take = await after.masters.stop('one');
    await until(() => cameraOf(take).state === 'verified');
    expect(cameraOf(take).segments).toHaveLength(1);
    contiguousFrom(await readFrames(take.files('cam0', 1).reference), await rig.witnessed());
    await after.stop();
  });

  it.each([
    ['where it was written last', 0],
    ['within a frame, as a disk error ends it', 1000],
  ])(
    'closes what a crash of supervisor and recorder left and continues the take (ends %s)',
    async (_, cut) => {
      const before = start();
      await rig.startCapture();
      await before.masters.start('one', null);
      await until(() => (before.masters.progress('one').get('cam0')?.frames ?? 0) >= 60);
      const recorder = rig.child('record-');
      rig.host = rig.host.crash();
      recorder.signal('SIGKILL');
      await recorder.exited;
      const { master } = (await before.store.get('one')).files('cam0', 1);
      await truncate(master, (await stat(master)).size - cut);

      const after = start();
      await until(() => after.masters.recording.includes('one'));
      const take = await after.store.get('one');
      await until(() => cameraOf(take).segments.length === 2 && cameraOf(take).state === 'recording');
      await after.masters.stop('one');
      await until(() => cameraOf(take).state === 'verified');
      const [first, second] = cameraOf(take).segments;
      expect(first).toMatchObject({ number: 1, clean: false, verified: { ok: true } });
      expect(first?.frames).toBeGreaterThan(30);
      expect(second).toMatchObject({ number: 2, clean: true, verified: { ok: true } });
      contiguousFrom(await readFrames(take.files('cam0', 1).reference), await rig.witnessed());
      await after.stop();
    },
  );

  it('ends takes when the program ends and finishes them at the next start', async () => {
    const before = start({ strategy: 'spool' });
    await rig.startCapture();
    await before.masters.start('one', null);
    await until(() => (before.masters.progress('one').get('cam0')?.frames ?? 0) >= 15);
    await before.stop();
    const left = await before.store.get('one');
    expect(cameraOf(left)).toMatchObject({ state: 'finishing', segments: [{ state: 'spooled' }] });
    expect(left.manifest.wanted).toBe(false);

    const after = start();
    const take = await after.store.get('one');
    await until(() => cameraOf(take).state === 'verified');
    expect(cameraOf(take).segments).toMatchObject([{ state: 'closed', spool: null }]);
    await after.stop();
  });

  it('reports a take as failed if its disk is gone, and can end it', async () => {
    const { masters, store, stop } = start();
    await rig.startCapture();
    const take = await masters.start('one', null);
    await until(() => (masters.progress('one').get('cam0')?.frames ?? 0) >= 15);
    await rename(store.root, `${store.root}-elsewhere`);
    await until(() => cameraOf(take).state === 'failed');
    expect(cameraOf(take).reason).toMatch(/^the disk of the masters .* \(ENOENT\)$/);
    await until(() => masters.recording.length === 0);
    expect(cameraOf(take).frames).toBeGreaterThanOrEqual(15);
    expect(take.manifest).toMatchObject({ wanted: false, stoppedAt: expect.any(String) });
    expect((await masters.stop('one')).manifest).toMatchObject({ state: 'failed', wanted: false });
    await stop();
  });

  it('asks for another pipe if the kernel holds a recorder, once its camera is recorded again', async () => {
    const renewed: string[] = [];
    const { masters, stop } = start({}, undefined, (camera) => renewed.push(camera));
    const kernel = rig.holdInKernel('record-');
    await rig.startCapture();
    await masters.start('one', null);
    await until(() => (masters.progress('one').get('cam0')?.frames ?? 0) >= 15);
    const recorder = rig.child('record-');
    await masters.stop('one');
    expect(renewed).toEqual([]);
    kernel.release();
    await recorder.exited;
    await masters.start('two', null);
    await until(() => renewed.length === 1);
    await until(() => (masters.progress('two').get('cam0')?.frames ?? 0) >= 15);
    await masters.stop('two');
    await masters.start('three', null);
    expect(renewed).toEqual(['cam0']);
    await masters.stop('three');
    await stop();
  });

  it('asks for another pipe, too, if the kernel holds the recorder of a disk that was taken away', async () => {
    const renewed: string[] = [];
    const { masters, store, stop } = start({}, undefined, (camera) => renewed.push(camera));
    const kernel = rig.holdInKernel('record-');
    await rig.startCapture();
    const take = await masters.start('one', null);
    await until(() => (masters.progress('one').get('cam0')?.frames ?? 0) >= 15);
    await rename(store.root, `${store.root}-elsewhere`);
    await until(() => cameraOf(take).state === 'failed');
    kernel.release();
    await masters.start('two', null);
    await until(() => renewed.length === 1);
    await stop();
  });

  it('finishes a take that ended while its disk was away, and records no more of it', async () => {
    const before = start();
    await rig.startCapture();
    await before.masters.start('one', null);
    await until(() => (before.masters.progress('one').get('cam0')?.frames ?? 0) >= 15);
    await rename(before.store.root, `${before.store.root}-elsewhere`);
    await until(() => before.masters.recording.length === 0);
    await before.masters.stop('one');
    await before.stop();
    await rename(`${before.store.root}-elsewhere`, before.store.root);

    const after = start({}, () => false);
    const take = await after.store.get('one');
    expect(cameraOf(take).segments).toHaveLength(1);
    await until(() => cameraOf(take).state === 'verified');
    expect(take.manifest).toMatchObject({ wanted: false, cameras: { cam0: { segments: [{ number: 1 }] } } });
    expect(after.masters.recording).toEqual([]);
    await after.stop();
  });

  it('does not resume a take that a full disk ended, although nobody stopped it', async () => {
    const before = start({ strategy: 'spool' });
    await rig.startCapture();
    await before.masters.start('one', null);
    await until(() => (before.masters.progress('one').get('cam0')?.frames ?? 0) >= 15);
    await before.stop();
    const left = await before.store.get('one');
    await left.update((manifest) => ({ ...manifest, wanted: true }));
    await left.updateCamera('cam0', (record) => ({ ...record, reason: 'the disk is full' }));

    const after = start();
    const take = await after.store.get('one');
    await until(() => cameraOf(take).state === 'verified');
    expect(cameraOf(take)).toMatchObject({ reason: 'the disk is full', segments: [{ number: 1 }] });
    await after.stop();
  });

  it('rejects what cannot be recorded', async () => {
    const { masters, stop } = start();
    await expect(masters.start('one', ['nobody'])).rejects.toMatchObject({ code: 'MASTERS_REFUSED' });
    await expect(masters.start('../one', null)).rejects.toMatchObject({ code: 'TAKE_ID_INVALID' });
    await stop();
    const off = start({ codec: 'off' });
    await expect(off.masters.start('one', null)).rejects.toMatchObject({ code: 'MASTERS_OFF' });
    await off.stop();
  });

  it('measures once and decides by the result', async () => {
    const { masters, stop } = start({ strategy: 'auto' });
    await rig.startCapture();
    const unmeasured = await masters.start('one', null);
    expect(cameraOf(unmeasured)).toMatchObject({ strategy: 'spool' });
    const cacheFile = join(rig.folder, 'speed.json');
    const never = new AbortController().signal;
    await masters.measure(never);
    expect(existsSync(cacheFile)).toBe(false);
    await masters.stop('one');
    await until(async () => {
      await masters.measure(never);
      return existsSync(cacheFile);
    });
    const cache = JSON.parse(await readFile(cacheFile, 'utf8'));
    const [measuredFps] = Object.values(cache.framesPerSecond) as number[];
    const measured = await masters.start('two', null);
    expect(measuredFps).toBeGreaterThan(0);
    expect(cameraOf(measured).strategy).toBe((measuredFps ?? 0) >= 45 ? 'direct' : 'spool');
    expect(cameraOf(measured).strategyReason).toContain((measuredFps ?? 0).toFixed(1));
    await stop();
  });

  it('estimates how long the disk lasts from an earlier take of the camera', async () => {
    await rig.startCapture();
    const { masters, store, stop } = start({ strategy: 'spool' });
    const bytesPerSecond = async () => {
      const seconds = (await masters.remainingSeconds(null)) ?? 0;
      return (await freeBytes(rig.folder)) / seconds;
    };
    const expected = expectedRates(rig.command().raw);
    expect((await bytesPerSecond()) / (expected.spool + expected.master)).toBeCloseTo(1, 2);
    await masters.start('take', null);
    await until(() => (masters.progress('take').get('cam0')?.frames ?? 0) > 100);
    await masters.stop('take');
    await until(() => !masters.isBusy);
    const [segment] = cameraOf(await store.get('take')).segments;
    const measured = ((segment?.bytes ?? 0) / (segment?.frames ?? 1)) * rig.command().raw.fps;
    expect(measured).not.toBeCloseTo(expected.master, -5);
    expect((await bytesPerSecond()) / (expected.spool + measured)).toBeCloseTo(1, 2);
    await stop();
  });

  function start(
    settings: Partial<MastersSettings> = {},
    mayGoOn = () => true,
    renewPipe: (camera: string) => void = () => {},
  ) {
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
      mayGoOn,
      renewPipe,
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

/** Flips one bit in the middle of a file. */
async function flipBit(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const at = Math.floor((await file.stat()).size / 2);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0x10]), 0, 1, at);
  } finally {
    await file.close();
  }
}
