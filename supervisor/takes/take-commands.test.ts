import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Take, TakeCamera } from '../contract/index.ts';
import { takesSection } from './take-book.ts';
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

describe('a remote camera is identified by its id', () => {
  const states = (take: Take) => take.cameras.map(({ device, state }) => [device, state]);

  test('has a part for each of two cameras with one name', async () => {
    const registry = registryOf();
    const one = await linkCamera(registry, 'left', ['cam0'], 'id-1');
    const two = await linkCamera(registry, 'left', ['cam0'], 'id-2');
    const { conductor } = await stage.start(localTakes([]).local, registry);
    const { id: takeId } = await conductor.start(null);
    one.say({ type: 'take', takeId, cameras: [part('cam0', { state: 'recording', frames: 1 })] });
    two.say({ type: 'take', takeId, cameras: [part('cam0', { state: 'recording', frames: 2 })] });
    one.say({ type: 'take', takeId, cameras: [part('cam0', { state: 'failed', reason: 'its disk' })] });
    expect(states(conductor.get(takeId))).toEqual([
      ['left', 'failed'],
      ['left', 'recording'],
    ]);
    two.say({ type: 'refused', command: 'take-start', code: 'X', reason: 'no', order: takeId });
    expect(states(conductor.get(takeId)).map(([, state]) => state)).toEqual(['failed', 'failed']);
  });

  test('a renamed camera continues its part', async () => {
    const registry = registryOf();
    await linkCamera(registry, 'left', ['cam0'], 'id-1');
    const { conductor } = await stage.start(localTakes([]).local, registry);
    const { id: takeId } = await conductor.start(null);
    const renamed = await linkCamera(registry, 'right', ['cam0'], 'id-1');
    expect(states(conductor.get(takeId))).toEqual([['right', 'starting']]);
    const verified = part('cam0', { state: 'verified', segments: 1 });
    renamed.say({ type: 'take', takeId, cameras: [verified] });
    expect(states(conductor.get(takeId))).toEqual([['right', 'verified']]);
    expect(conductor.current()).toBeNull();
  });

  test('a part recorded by an earlier release is still found by name', async () => {
    const registry = registryOf();
    const before = await stage.start(localTakes([]).local, registry);
    const startedAt = '2026-11-22T12:00:00.000Z';
    const old: Take = {
      id: 'old',
      startedAt,
      stoppedAt: null,
      state: 'recording',
      cameras: [part('cam0', { device: 'left', state: 'recording' })],
    };
    await before.state.update(takesSection, () => ({ conducted: [old], running: 'old' }));
    await before.end();
    const { conductor } = await stage.start(localTakes([]).local, registry);
    const left = await linkCamera(registry, 'left', ['cam0'], 'id-1');
    await conductor.stop('old');
    expect(left.stops()).toBe(1);
    left.say({ type: 'take', takeId: 'old', cameras: [part('cam0', { state: 'verified', segments: 1 })] });
    expect(conductor.get('old').cameras).toMatchObject([
      { device: 'left', deviceId: 'id-1', state: 'verified' },
    ]);
  });

  test('sends a stop once for each of its links', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { conductor } = await stage.start(localTakes([]).local, registry);
    const { id: takeId } = await conductor.start(null);
    left.say({ type: 'take', takeId, cameras: [part('cam0', { state: 'recording' })] });
    await conductor.stop(takeId);
    for (let look = 0; look < 5; look++) left.status('recording');
    expect(left.stops()).toBe(1);

    const again = await linkCamera(registry, 'left', ['cam0']);
    for (let look = 0; look < 5; look++) again.status('recording');
    expect(again.stops()).toBe(1);
    again.say({ type: 'take', takeId, cameras: [part('cam0', { state: 'verified', segments: 1 })] });
    again.status('idle');
    expect(conductor.get(takeId).state).toBe('verified');
  });

  test('a stop that was sent into a dead link is sent again, even to one that still waits for its first frame', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { conductor } = await stage.start(localTakes([]).local, registry);
    const { id: takeId } = await conductor.start(null);
    left.socket.terminate();
    await conductor.stop(takeId);
    const again = await linkCamera(registry, 'left', ['cam0']);
    again.status('starting');
    expect(again.sent.filter(({ type }) => type === 'take-stop')).toEqual([
      { type: 'take-stop', takeId, order: takeId },
    ]);
  });

  test('a start that was sent into a dead link is sent again while the take runs, once for each link', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { conductor } = await stage.start(localTakes(['own']).local, registry);
    const { id: takeId, startedAt } = await conductor.start(null);
    left.socket.terminate();
    const again = await linkCamera(registry, 'left', ['cam0']);
    expect(again.sent.some(({ type }) => type === 'take-start')).toBe(false);
    for (let look = 0; look < 3; look++) again.status('idle');
    expect(again.sent.filter(({ type }) => type === 'take-start')).toEqual([
      { type: 'take-start', takeId, startedAt, cameras: ['cam0'], order: takeId },
    ]);
    const ended = {
      type: 'refused',
      command: 'take-start',
      code: 'TAKE_NOT_RUNNING',
      reason: 'ended',
    } as const;
    again.say({ ...ended, order: takeId });
    expect(states(conductor.get(takeId))).toContainEqual(['left', 'starting']);
  });

  test('leaves alone one that records something else, as its own page said', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { conductor } = await stage.start(localTakes(['own']).local, registry);
    await conductor.start(null);
    left.socket.terminate();
    const again = await linkCamera(registry, 'left', ['cam0']);
    again.status('recording');
    expect(again.sent.some(({ type }) => type === 'take-start')).toBe(false);
  });

  test('one that returns reports its own state first, even if another one reports something meanwhile', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const right = await linkCamera(registry, 'right', ['cam1']);
    const { conductor } = await stage.start(localTakes([]).local, registry);
    await conductor.start(null);
    // Its order got lost with the link, and its own button started a take meanwhile.
    left.socket.emit('close', 1006, Buffer.from(''));
    const again = await linkCamera(registry, 'left', ['cam0']);
    right.status('recording');
    expect(again.sent.map(({ type }) => type)).not.toContain('take-start');
    again.status('recording');
    right.status('recording');
    expect(again.sent.map(({ type }) => type)).not.toContain('take-start');
  });

  test('one that never received a take fails its part, which is then over', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { conductor } = await stage.start(localTakes(['own']).local, registry);
    const { id: takeId } = await conductor.start(null);
    left.socket.terminate();
    await conductor.stop(takeId);
    const again = await linkCamera(registry, 'left', ['cam0']);
    again.status('idle');
    expect(again.sent.filter(({ type }) => type === 'take-stop')).toEqual([
      { type: 'take-stop', takeId, order: takeId },
    ]);
    again.say({
      type: 'refused',
      command: 'take-stop',
      code: 'TAKE_UNKNOWN',
      reason: 'what?',
      order: takeId,
    });
    expect(conductor.get(takeId)).toMatchObject({
      state: 'failed',
      cameras: [
        { camera: 'cam0', state: 'failed', reason: expect.stringContaining('did not arrive') },
        { camera: 'own', state: 'verified' },
      ],
    });
    await conductor.remove(takeId);
  });
});
