import { existsSync } from 'node:fs';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Take } from '../take/take.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';
import { cameraOf, contiguousFrom, RecordingRig, readFrames, until } from './recording-rig.fake.ts';

const never = new AbortController().signal;

describe('Recorder', { timeout: 120_000 }, () => {
  let rig: RecordingRig;

  beforeEach(async () => {
    rig = await RecordingRig.open();
  });

  afterEach(() => rig[Symbol.asyncDispose]());

  it.each([
    ['ffv1', 'direct', 'bit-exact'],
    ['ffv1', 'spool', 'bit-exact'],
    ['prores', 'direct', 'decodes'],
  ] as const)('keeps every frame (%s, %s)', async (codec, strategy, proof) => {
    const take = await newTake();
    await rig.startCapture();
    const recording = record(take, { codec, strategy });
    await until(() => recording.frames() >= 30 && cameraOf(take).state === 'recording');
    expect(cameraOf(take).reason).toBeNull();
    recording.stop();
    await recording.done;

    expect(cameraOf(take)).toMatchObject({ state: 'verified', reason: null, droppedFrames: 0, strategy });
    const segment = cameraOf(take).segments[0];
    expect(segment).toMatchObject({ state: 'closed', clean: true, spool: null, droppedBefore: 0 });
    expect(segment?.verified).toMatchObject({ ok: true, proof, problems: [] });
    const kept = await readFrames(take.files('cam0', 1).reference);
    expect(kept).toHaveLength(segment?.frames ?? 0);
    contiguousFrom(kept, await rig.witnessed());
    expect((await readdir(join(take.folder, 'cam0'))).toSorted()).toEqual(['0001.framemd5', '0001.mkv']);
  });

  it.each(['direct', 'spool'] as const)(
    'contains nothing captured long before it began (%s)',
    async (strategy) => {
      await rig.startCapture();
      const earlier = record(await newTake('earlier'), { strategy });
      await until(() => earlier.frames() >= 15);
      earlier.stop();
      await earlier.done;
      const resting = (await rig.witnessed()).length;
      await until(async () => (await rig.witnessed()).length >= resting + 90);
      const captured = (await rig.witnessed()).length;
      const take = await newTake();
      const recording = record(take, { strategy });
      await until(() => recording.frames() >= 30);
      recording.stop();
      await recording.done;

      expect(cameraOf(take)).toMatchObject({ state: 'verified', droppedFrames: 0 });
      const kept = await readFrames(take.files('cam0', 1).reference);
      expect(contiguousFrom(kept, await rig.witnessed())).toBeGreaterThan(captured - 35);
    },
  );

  it('continues in the next segment after capture is killed, losing less than a second', async () => {
    const take = await newTake();
    const capture = await rig.startCapture();
    const recording = record(take, { strategy: 'direct' });
    await until(() => recording.frames() >= 30);
    capture.signal('SIGKILL');
    await capture.exited;
    await until(() => cameraOf(take).segments[0]?.state === 'closed');
    await rig.startCapture(2);
    await until(() => cameraOf(take).segments.length === 2 && recording.frames() >= 30);
    recording.stop();
    await recording.done;

    const record0 = cameraOf(take);
    expect(record0.state).toBe('verified');
    expect(record0.segments.map(({ number, state }) => [number, state])).toEqual([
      [1, 'closed'],
      [2, 'closed'],
    ]);
    const first = await readFrames(take.files('cam0', 1).reference);
    const captured = await rig.witnessed(1);
    const start = contiguousFrom(first, captured);
    expect(captured.length - (start + first.length)).toBeLessThanOrEqual(30);
    contiguousFrom(await readFrames(take.files('cam0', 2).reference), await rig.witnessed(2));
    expect(record0.segments[1]?.droppedBefore).toBeGreaterThan(0);
    expect(record0.droppedFrames).toBeGreaterThanOrEqual(record0.segments[1]?.droppedBefore ?? 0);
  });

  it.each(['direct', 'spool'] as const)(
    'closes a segment whose recorder was killed (%s)',
    async (strategy) => {
      const take = await newTake();
      await rig.startCapture();
      const recording = record(take, { strategy });
      await until(() => recording.frames() >= 60);
      const framesAtKill = recording.frames();
      rig.child('record-').signal('SIGKILL');
      await until(() => cameraOf(take).segments.length === 2 && cameraOf(take).state === 'recording');
      recording.stop();
      await recording.done;

      const [first, second] = cameraOf(take).segments;
      expect(cameraOf(take).state).toBe('verified');
      expect(first).toMatchObject({ clean: false, state: 'closed' });
      expect(first?.frames).toBeGreaterThan(framesAtKill - 30);
      expect(second?.clean).toBe(true);
      contiguousFrom(await readFrames(take.files('cam0', 1).reference), await rig.witnessed());
    },
  );

  it('continues at another pipe if the kernel holds the recorder of a disk that fails', async () => {
    const take = await newTake();
    const kernel = rig.holdInKernel('record-');
    const other = join(rig.folder, 'cam0.1.raw');
    let isHeld = false;
    let fails = false;
    await rig.startCapture();
    const recording = record(take, {
      pipe: () => (isHeld ? other : rig.pipe),
      onHeld: () => {
        isHeld = true;
      },
      freeBytes: async () => {
        if (!fails) return 1e9;
        fails = false;
        throw Object.assign(new Error('EIO'), { code: 'EIO' });
      },
    });
    await until(() => recording.frames() >= 30);
    fails = true;
    await until(() => !fails);
    await rig.startCapture(2, other);
    await until(() => cameraOf(take).segments.length === 2 && recording.frames() >= 30);
    kernel.release();
    recording.stop();
    await recording.done;
    expect(cameraOf(take).state).toBe('verified');
    contiguousFrom(await readFrames(take.files('cam0', 2).reference), await rig.witnessed(2));
  });

  it('keeps recording while the previous segment is being closed', async () => {
    const take = await newTake();
    await rig.startCapture();
    const closing = rig.holdBack('close-');
    const recording = record(take, { strategy: 'direct' });
    await until(() => recording.frames() >= 60);
    rig.child('record-').signal('SIGKILL');
    await until(() => cameraOf(take).segments[1] !== undefined && recording.frames() >= 60);
    expect(cameraOf(take).segments.map(({ state }) => state)).toEqual(['recording', 'recording']);
    expect(cameraOf(take).state).toBe('recording');
    recording.stop();
    closing.release();
    await recording.done;

    expect(cameraOf(take).state).toBe('verified');
    const captured = await rig.witnessed();
    const [first, second] = cameraOf(take).segments;
    const starts = await Promise.all(
      [1, 2].map(async (number) =>
        contiguousFrom(await readFrames(take.files('cam0', number).reference), captured),
      ),
    );
    const between = (starts[1] ?? 0) - (starts[0] ?? 0) - (first?.frames ?? 0);
    expect(second?.droppedBefore).toBe(between);
  });

  it('reports that not a single frame arrived', async () => {
    const take = await newTake();
    const recording = record(take, {});
    await until(() => [...rig.host.running.keys()].some((name) => name.startsWith('record-')));
    expect(cameraOf(take).state).toBe('starting');
    recording.stop();
    await recording.done;
    expect(cameraOf(take)).toMatchObject({ state: 'failed', reason: 'not one frame arrived', segments: [] });
  });

  it('does not start below the reserve of the disk', async () => {
    const take = await newTake();
    const recording = record(take, { reserveBytes: Number.MAX_SAFE_INTEGER });
    await expect(recording.done).rejects.toMatchObject({ code: 'DISK_RESERVE_REACHED' });
    expect(take.manifest.cameras).toEqual({});
  });

  it('ends cleanly and reports it when the disk fills up to its reserve', async () => {
    const take = await newTake();
    await rig.startCapture();
    let free = 1000;
    const recording = record(take, { reserveBytes: 500, freeBytes: async () => free });
    await until(() => recording.frames() >= 15);
    free = 500;
    await recording.done;
    expect(cameraOf(take)).toMatchObject({
      state: 'verified',
      reason: 'the disk is full up to its reserve',
      segments: [{ clean: true }],
    });
  });

  it('leaves no recorder behind when its disk is removed', async () => {
    const take = await newTake();
    await rig.startCapture();
    const recording = record(take, {});
    await until(() => recording.frames() >= 15);
    await rename(take.folder, `${take.folder}-elsewhere`);
    await expect(recording.done).rejects.toMatchObject({ code: 'ENOENT' });
    expect([...rig.host.running.keys()].filter((name) => name.startsWith('record-'))).toEqual([]);

    // Back again, what is on it is closed and proven, and nothing more is recorded.
    await rename(`${take.folder}-elsewhere`, take.folder);
    await take.updateCamera('cam0', (old) => ({ ...old, state: 'failed' }));
    await record(take, {}).done;
    expect(cameraOf(take)).toMatchObject({ state: 'verified', segments: [{ number: 1, state: 'closed' }] });
    expect(cameraOf(take).frames).toBeGreaterThanOrEqual(15);
  });

  it('does not fill the disk with a master, and makes it once there is room', async () => {
    const take = await newTake();
    await rig.startCapture();
    let free = 1000;
    const options = { strategy: 'spool', reserveBytes: 500, freeBytes: async () => free } as const;
    const recording = record(take, options);
    await until(() => recording.frames() >= 15);
    free = 500;
    await recording.done;
    const { spool, master } = take.files('cam0', 1);
    expect(cameraOf(take)).toMatchObject({ state: 'failed', segments: [{ state: 'spooled' }] });
    expect(cameraOf(take).reason).toContain('no room');
    expect([existsSync(spool), existsSync(master)]).toEqual([true, false]);
    free = 1000;
    const again = record(take, options);
    await again.done;
    expect(cameraOf(take)).toMatchObject({ state: 'verified', segments: [{ number: 1, spool: null }] });
    expect(existsSync(spool)).toBe(false);
  });

  it('loses neither file in a power cut between proving a master and removing its raw frames', async () => {
    const take = await newTake();
    await rig.startCapture();
    const recording = record(take, { strategy: 'spool' });
    await until(() => recording.frames() >= 15);
    recording.stop();
    await recording.done;
    const { spool, master } = take.files('cam0', 1);
    const [proven] = cameraOf(take).segments;
    const atPowerCut = (segment: object) =>
      take.updateCamera('cam0', (old) => ({
        ...old,
        state: 'finishing',
        segments: old.segments.map((one) => ({ ...one, spool: 'cam0/0001.raw.nut', ...segment })),
      }));

    await writeFile(spool, 'raw frames');
    await atPowerCut({});
    await record(take, { strategy: 'spool' }).done;
    expect(cameraOf(take)).toMatchObject({ state: 'verified', segments: [{ spool: null }] });
    expect([existsSync(spool), existsSync(master)]).toEqual([false, true]);

    await atPowerCut({ state: 'spooled', sha256: null, verified: null });
    await record(take, { strategy: 'spool' }).done;
    expect(cameraOf(take)).toMatchObject({ state: 'verified', segments: [{ state: 'closed', spool: null }] });
    expect(cameraOf(take).segments[0]?.sha256).toBe(proven?.sha256);
  });

  async function newTake(id = 'take'): Promise<Take> {
    return Take.create(join(rig.folder, id), {
      version: 1,
      id,
      startedAt: new Date().toISOString(),
      stoppedAt: null,
      wanted: true,
      state: 'starting',
      cameras: {},
    });
  }

  function record(take: Take, overrides: Partial<RecorderOptions>) {
    const stop = new AbortController();
    let frames = 0;
    const recorder = new Recorder(take, {
      host: rig.host,
      logger: rig.logger,
      camera: 'cam0',
      pipe: () => rig.pipe,
      raw: rig.command().raw,
      codec: 'ffv1',
      strategy: 'direct',
      strategyReason: 'test',
      threads: 2,
      reserveBytes: 1,
      ...overrides,
      onProgress: (progress) => {
        frames = progress.frames;
      },
    });
    const done = recorder.run(stop.signal, never);
    // A failure is seen where `done` is awaited; until then it must not end the test run.
    done.catch(() => {});
    return { done, stop: () => stop.abort(), frames: () => frames };
  }
});
