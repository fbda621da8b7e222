import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TakeCamera } from '../contract/index.ts';
import { ConductorStage, linkCamera, localTakes, registryOf } from './take-conductor.fake.ts';
import type { LocalTakes } from './take-conductor.ts';
import { awaitedCamera } from './take-state.ts';

let stage: ConductorStage;

beforeEach(async () => {
  stage = await ConductorStage.open();
});

afterEach(() => stage[Symbol.asyncDispose]());

const part = (camera: string, change: Partial<TakeCamera> = {}): TakeCamera => ({
  ...awaitedCamera(camera, null),
  ...change,
});

/** Recorders on a slow disk: a take is there, and can be stopped, once its start is over. */
function slowTakes(startMs: number) {
  const { local, calls } = localTakes(['cam0']);
  const recording = new Set<string>();
  let atWork = 0;
  let mostAtWork = 0;
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    atWork += 1;
    mostAtWork = Math.max(mostAtWork, atWork);
    try {
      return await work();
    } finally {
      atWork -= 1;
    }
  };
  const slow: LocalTakes = {
    ...local,
    start: (take, cameras) =>
      alone(async () => {
        await sleep(startMs);
        recording.add(take.id);
        return await local.start(take, cameras);
      }),
    stop: (id) =>
      alone(async () => {
        if (!recording.delete(id)) throw Object.assign(new Error('no take'), { code: 'TAKE_NOT_FOUND' });
        await local.stop(id);
      }),
  };
  return { local: slow, calls, recording, mostAtWork: () => mostAtWork };
}

describe('take commands run one after the other', () => {
  test.each([0, 1, 20, 60])('a stop %i ms into a start ends the take', async (gapMs) => {
    const { local, recording, mostAtWork } = slowTakes(40);
    const { conductor } = await stage.start(local, null);
    const starting = conductor.start(null);
    await sleep(gapMs);
    const stopped = await conductor.stopCurrent();
    expect((await starting).id).toBe(stopped.id);
    expect(stopped).toMatchObject({ state: 'verified' });
    expect(recording.size).toBe(0);
    expect(mostAtWork()).toBe(1);
    expect(conductor.current()).toBeNull();
    await conductor.remove(stopped.id);
    expect(conductor.list()).toEqual([]);
  });

  test('a take known only from its report can be stopped by its id, too', async () => {
    const { local, recording } = slowTakes(40);
    const { conductor, told } = await stage.start(local, null);
    const starting = conductor.start(null);
    await expect.poll(() => told.length).toBeGreaterThan(0);
    await conductor.stop(told[0]?.id ?? '');
    await starting;
    expect(recording.size).toBe(0);
  });

  test('every button press counts: on, off, on', async () => {
    const { local, recording, calls, mostAtWork } = slowTakes(20);
    const { conductor } = await stage.start(local, null);
    for (let press = 0; press < 5; press++) conductor.toggle();
    await expect.poll(() => calls).toEqual(['start cam0', 'stop', 'start cam0', 'stop', 'start cam0']);
    expect(recording).toEqual(new Set([conductor.current()?.id]));
    expect(mostAtWork()).toBe(1);
  });

  test('simultaneous senders of all kinds leave nothing that nobody can stop', async () => {
    const { local, recording, mostAtWork } = slowTakes(3);
    const { conductor } = await stage.start(local, null);
    const senders = [
      () => conductor.start(null),
      () => conductor.stopCurrent(),
      async () => conductor.toggle(),
      () => conductor.startAs(`hub${conductor.list().length}`, new Date().toISOString(), ['cam0']),
      () => conductor.remove(conductor.list()[0]?.id ?? ''),
    ];
    const sent = Array.from({ length: 60 }, async (_, index) => {
      await sleep((index * 7) % 40);
      await senders[(index * 3 + Math.floor(index / 5)) % senders.length]?.();
    });
    const outcomes = await Promise.allSettled(sent);
    const codes = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
    const answers = ['TAKE_RUNNING', 'TAKE_NOT_RUNNING', 'TAKE_UNKNOWN', 'TAKE_UNFINISHED'];
    expect(codes.filter((code) => !answers.includes(code))).toEqual([]);
    await conductor.stopCurrent().catch(() => {});
    expect(recording.size).toBe(0);
    expect(mostAtWork()).toBe(1);
    expect((await conductor.start(null)).state).toBe('recording');
  });

  test('wait for leftovers of an earlier run of the program', async () => {
    const { local, onDisk, calls } = localTakes(['cam0']);
    const startedAt = '2026-11-22T12:00:00.000Z';
    const left = { id: 'left', startedAt, stoppedAt: null, state: 'recording' } as const;
    onDisk.push({ ...left, cameras: [part('cam0', { state: 'recording' })] });
    const { conductor } = await stage.start(local, null, { isLoaded: false });
    const stopping = conductor.stop('left');
    await conductor.load();
    expect((await stopping).stoppedAt).not.toBeNull();
    expect(calls).toEqual(['stop']);
  });

  test('do not wait forever for a hanging disk; a stop stays in force, a start is withdrawn', async () => {
    const { local, calls } = localTakes(['cam0']);
    const hung = Promise.withResolvers<void>();
    const hanging: LocalTakes = {
      ...local,
      start: async (take, cameras) => {
        await hung.promise;
        return await local.start(take, cameras);
      },
    };
    const { conductor } = await stage.start(hanging, null, { patienceMs: 40 });
    const busy = expect.objectContaining({ code: 'TAKES_BUSY' });
    const answers = [conductor.start(null), conductor.stopCurrent(), conductor.start(null)];
    expect(await Promise.all(answers.map((one) => one.catch((error: unknown) => error)))).toEqual([
      busy,
      busy,
      busy,
    ]);
    hung.resolve();
    await expect.poll(() => calls).toEqual(['start cam0', 'stop']);
    expect(conductor.current()).toBeNull();
    expect((await conductor.start(null)).state).toBe('recording');
  });

  test('a take ends even if its disk is away', async () => {
    const { local } = localTakes(['cam0']);
    const { conductor } = await stage.start(local, null);
    const { id } = await conductor.start(null);
    local.stop = async () => {
      throw Object.assign(new Error('there is no such take'), { code: 'TAKE_NOT_FOUND' });
    };
    const stopped = await conductor.stop(id);
    expect(stopped).toMatchObject({ state: 'failed', cameras: [{ state: 'failed' }] });
    expect(stopped.cameras[0]?.reason).toContain('disk');
    expect(conductor.current()).toBeNull();
  });
});

describe('a start that no camera can carry out', () => {
  const reserve = Object.assign(new Error('5 MB are free, 2000 MB are kept in reserve'), {
    code: 'DISK_RESERVE_REACHED',
  });

  test('is rejected with its reason and leaves no take', async () => {
    const { local } = localTakes(['cam0'], reserve);
    const { conductor, gone } = await stage.start(local, null);
    await expect(conductor.start(null)).rejects.toMatchObject({
      code: 'DISK_RESERVE_REACHED',
      message: 'No camera records: 5 MB are free, 2000 MB are kept in reserve.',
    });
    expect(conductor.list()).toEqual([]);
    expect(gone).toHaveLength(1);
    expect(conductor.refusal).toMatchObject({ code: 'DISK_RESERVE_REACHED' });
  });

  test.each([
    ['DISK_FILES_USED_UP', /each file needs an entry/],
    ['DISK_UNAVAILABLE', /Look after the disk/],
    ['MASTERS_OFF', /masters\.codec/],
  ])('is rejected with the code of its reason, and what to do: %s', async (code, hint) => {
    const { local } = localTakes(['cam0'], Object.assign(new Error('it cannot'), { code }));
    const { conductor } = await stage.start(local, null);
    const refusal = conductor.start(null);
    await expect(refusal).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) });
  });

  test('is noted for somebody at a button until one succeeds', async () => {
    const { local, calls } = localTakes(['cam0'], reserve);
    let changes = 0;
    const { conductor } = await stage.start(local, null, { onRefusal: () => (changes += 1) });
    conductor.toggle();
    await expect.poll(() => conductor.refusal?.code).toBe('DISK_RESERVE_REACHED');
    local.start = async (_take, cameras) => cameras;
    conductor.toggle();
    await expect.poll(() => conductor.refusal).toBeNull();
    expect(changes).toBe(2);
    expect(calls).toEqual(['start cam0']);
  });

  test('is rejected if every camera refuses, here and elsewhere', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam1']);
    const { local } = localTakes(['cam0'], new Error('something else'));
    const { conductor } = await stage.start(local, registry, { answerWithinMs: 5000 });
    const starting = conductor.start(null);
    await expect.poll(() => left.sent.at(-1)?.type).toBe('take-start');
    const order = conductor.list()[0]?.id ?? '';
    left.say({ type: 'refused', command: 'take-start', code: 'MASTERS_OFF', reason: 'They are off.', order });
    await expect(starting).rejects.toMatchObject({
      code: 'NO_CAMERA_RECORDS',
      message: 'No camera records: left: They are off.; something else.',
    });
    expect(conductor.list()).toEqual([]);
  });

  test('has one reason if all agree; a camera of an earlier release words it in its own way', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const right = await linkCamera(registry, 'right', ['cam0']);
    const { conductor } = await stage.start(localTakes([]).local, registry, { answerWithinMs: 5000 });
    const starting = conductor.start(null);
    await expect.poll(() => right.sent.at(-1)?.type).toBe('take-start');
    const order = conductor.list()[0]?.id ?? '';
    const { code, message: reason } = reserve;
    left.say({ type: 'refused', command: 'take-start', code, reason, order });
    right.say({ type: 'refused', command: 'take-start', code, reason });
    await expect(starting).rejects.toMatchObject({ code: 'DISK_RESERVE_REACHED' });

    const again = conductor.start(null);
    await expect.poll(() => conductor.list()).toHaveLength(1);
    const takeId = conductor.list()[0]?.id ?? '';
    for (const camera of [left, right]) {
      camera.say({ type: 'take', takeId, cameras: [part('cam0', { state: 'failed', reason: 'no disk' })] });
    }
    await expect(again).rejects.toMatchObject({ code: 'NO_CAMERA_RECORDS' });
  });

  test('records on the cameras that can, and its answer names the others', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam1']);
    const { local } = localTakes(['cam0', 'unplugged']);
    const begin = local.start;
    local.start = (take, cameras) =>
      begin(
        take,
        cameras.filter((camera) => camera !== 'unplugged'),
      );
    const { conductor } = await stage.start(local, registry, { answerWithinMs: 5000 });
    const starting = conductor.start(null);
    await expect.poll(() => left.sent.at(-1)?.type).toBe('take-start');
    const order = conductor.list()[0]?.id ?? '';
    left.say({
      type: 'refused',
      command: 'take-start',
      code: 'DISK_UNAVAILABLE',
      reason: 'the disk is read-only',
      order,
    });
    const take = await starting;
    expect(take.state).toBe('recording');
    expect(take.cameras.map(({ camera, state, reason }) => [camera, state, reason])).toEqual([
      ['cam0', 'recording', null],
      ['cam1', 'failed', 'the disk is read-only'],
      ['unplugged', 'failed', 'it is not there to be recorded'],
    ]);
    expect(conductor.refusal).toBeNull();
  });

  test('of a hub is rejected to the hub', async () => {
    const { local } = localTakes(['cam0'], reserve);
    const { conductor, told } = await stage.start(local, null);
    const starting = conductor.startAs('abc123', new Date().toISOString(), ['cam0']);
    await expect(starting).rejects.toMatchObject({ code: 'DISK_RESERVE_REACHED' });
    expect(conductor.list()).toEqual([]);
    // The refusal carries the code; a failed part reported before it would be mistaken for the answer.
    expect(told.map(({ state }) => state)).toEqual(['starting']);
  });

  test('does not wait long for a camera that does not answer, and does not call it failed', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { conductor } = await stage.start(localTakes([]).local, registry);
    const take = await conductor.start(null);
    expect(take.cameras[0]?.state).toBe('starting');
    left.say({ type: 'accepted', command: 'take-start', order: take.id });
    expect(conductor.current()?.id).toBe(take.id);
  });
});
