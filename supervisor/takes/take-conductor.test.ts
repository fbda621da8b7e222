import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Take, TakeCamera } from '../contract/index.ts';
import { takesSection } from './take-book.ts';
import { ConductorStage, linkCamera, localTakes, registryOf } from './take-conductor.fake.ts';
import type { LocalTakes } from './take-conductor.ts';
import { awaitedCamera, requireMasterHere, takeStateOf } from './take-state.ts';

let stage: ConductorStage;

beforeEach(async () => {
  stage = await ConductorStage.open();
});

afterEach(() => stage[Symbol.asyncDispose]());

describe('a take', () => {
  test('records all cameras, here and elsewhere, and distinguishes each one', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { local, calls } = localTakes(['cam0']);
    const { conductor } = await stage.start(local, registry);

    const take = await conductor.start(null);
    expect(calls).toEqual(['start cam0']);
    expect(left.sent.at(-1)).toEqual({
      type: 'take-start',
      takeId: take.id,
      startedAt: take.startedAt,
      cameras: ['cam0'],
      order: take.id,
    });
    expect(take.cameras.map(({ camera, device, state }) => [camera, device, state])).toEqual([
      ['cam0', null, 'recording'],
      ['cam0', 'left', 'starting'],
    ]);
    expect(conductor.current()?.id).toBe(take.id);

    left.say({
      type: 'take',
      takeId: take.id,
      cameras: [{ ...awaitedCamera('cam0', null), state: 'recording', frames: 12 }],
    });
    expect(conductor.get(take.id).state).toBe('recording');

    const stopped = await conductor.stop(take.id);
    expect(stopped.stoppedAt).not.toBeNull();
    expect(left.sent.at(-1)).toEqual({ type: 'take-stop', takeId: take.id, order: take.id });
    expect(stopped.state).toBe('recording');
    left.say({
      type: 'take',
      takeId: take.id,
      cameras: [{ ...awaitedCamera('cam0', null), state: 'verified', verified: true, frames: 30 }],
    });
    expect(conductor.get(take.id).state).toBe('verified');
    expect(conductor.current()).toBeNull();
  });

  test('on some cameras only, and not on a missing one', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['left-cam']);
    const { local, calls } = localTakes(['cam0']);
    const { conductor } = await stage.start(local, registry);
    await expect(conductor.start(['left-cam', 'nobody'])).rejects.toMatchObject({
      code: 'NOTHING_TO_RECORD',
    });
    const take = await conductor.start(['left-cam']);
    expect(take.cameras.map(({ camera }) => camera)).toEqual(['left-cam']);
    expect(calls).toEqual([]);
    expect(left.sent.at(-1)?.type).toBe('take-start');
  });

  test('rejects a second one while the first runs, and does not stop one twice', async () => {
    const { local } = localTakes(['cam0']);
    const { conductor } = await stage.start(local, null);
    const take = await conductor.start(null);
    await expect(conductor.start(null)).rejects.toMatchObject({ code: 'TAKE_RUNNING' });
    await conductor.stop(take.id);
    await expect(conductor.stop(take.id)).rejects.toMatchObject({ code: 'TAKE_NOT_RUNNING' });
    await expect(conductor.stop('nothing')).rejects.toMatchObject({ code: 'TAKE_UNKNOWN' });
    expect((await conductor.start(null)).id).not.toBe(take.id);
  });

  test('ends with its last camera, if that stops by itself', async () => {
    const listeners = new Set<(takeId: string, cameras: readonly TakeCamera[]) => void>();
    const { local } = localTakes(['cam0', 'cam1']);
    const subscribe: LocalTakes['subscribe'] = (listener) => {
      listeners.add(listener);
      return local.subscribe(listener);
    };
    const { conductor, state } = await stage.start({ ...local, subscribe }, null);
    const { id } = await conductor.start(null);
    const report = (...states: TakeCamera['state'][]) => {
      const parts = states.map((one, index) => ({ ...awaitedCamera(`cam${index}`, null), state: one }));
      for (const listener of listeners) listener(id, parts);
    };
    report('failed', 'recording');
    expect(conductor.get(id).stoppedAt).toBeNull();
    const beforeMs = Date.now();
    report('failed', 'finishing');
    const { stoppedAt } = conductor.get(id);
    expect(Date.parse(stoppedAt ?? '')).toBeGreaterThanOrEqual(beforeMs);
    report('failed', 'verified');
    expect(conductor.get(id)).toMatchObject({ state: 'failed', stoppedAt });
    await expect(conductor.stop(id)).rejects.toMatchObject({ code: 'TAKE_NOT_RUNNING' });
    await expect.poll(() => state.get(takesSection).running).toBeNull();
    // A recorder is never left that nobody can stop.
    report('failed', 'recording');
    await conductor.stop(id);
  });

  test('cannot run without a camera', async () => {
    const { conductor } = await stage.start(localTakes([]).local, null);
    await expect(conductor.start(null)).rejects.toMatchObject({ code: 'NOTHING_TO_RECORD' });
    expect(conductor.list()).toEqual([]);
  });

  test('a camera obeys its hub once: a finished take does not restart', async () => {
    const { local, calls } = localTakes(['cam0']);
    const { conductor } = await stage.start(local, null);
    const at = '2026-11-22T10:00:00.000Z';
    await conductor.startAs('abc123', at, ['cam0']);
    await conductor.stop('abc123');
    await expect(conductor.startAs('abc123', at, ['cam0'])).rejects.toMatchObject({
      code: 'TAKE_NOT_RUNNING',
    });
    expect(calls).toEqual(['start cam0', 'stop']);
    expect(conductor.get('abc123').state).toBe('verified');
  });

  test('a hub that restarts still knows the takes on its cameras', async () => {
    const registry = registryOf();
    await linkCamera(registry, 'left', ['cam0']);
    const first = await stage.start(localTakes([]).local, registry);
    const take = await first.conductor.start(null);
    await first.end();
    const second = await stage.start(localTakes([]).local, registryOf());
    expect(second.conductor.get(take.id).cameras[0]?.device).toBe('left');
  });

  test('a running take stays in the list and on the card, even if the clock of this board is years behind', async () => {
    const registry = registryOf();
    await linkCamera(registry, 'left', ['cam0']);
    const { local, onDisk } = localTakes([]);
    const { conductor, state, end } = await stage.start(local, registry);
    const [first] = (await conductor.start(null)).cameras;
    const elsewhere: TakeCamera = { ...awaitedCamera('cam0', { id: 'id-left', name: 'left' }), ...first };
    await conductor.stopCurrent();
    await end();
    const old = (at: number, part: TakeCamera): Take => {
      const startedAt = new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString();
      return { id: `t${at}`, startedAt, stoppedAt: startedAt, state: 'verified', cameras: [part] };
    };
    const ended = { ...elsewhere, state: 'verified' as const, segments: 1 };
    await state.update(takesSection, () => ({
      conducted: Array.from({ length: 100 }, (_, at) => old(at, ended)),
    }));
    for (let at = 1000; at < 2000; at += 1)
      onDisk.push(old(at, { ...awaitedCamera('x', null), ...ended, device: null }));
    vi.setSystemTime(new Date('1970-01-02T00:00:00Z'));
    try {
      const second = await stage.start(local, registry);
      const take = await second.conductor.start(null);
      expect(second.conductor.current()?.id).toBe(take.id);
      await second.end();
      expect(second.state.get(takesSection).conducted.map(({ id }) => id)).toContain(take.id);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a camera obeys its hub: same id, once, and a forgotten take gives way', async () => {
    const { local, calls } = localTakes(['cam0']);
    const { conductor } = await stage.start(local, null);
    const at = '2026-11-22T10:00:00.000Z';
    await conductor.startAs('abc123', at, ['cam0']);
    await conductor.startAs('abc123', at, ['cam0']);
    expect(calls).toEqual(['start cam0']);
    await conductor.startAs('def456', at, ['cam0']);
    expect(calls).toEqual(['start cam0', 'stop', 'start cam0']);
    expect(conductor.current()?.id).toBe('def456');
  });
});

test('the state of a take is that of its least finished camera', () => {
  const of = (...states: TakeCamera['state'][]) =>
    takeStateOf(states.map((state) => ({ ...awaitedCamera('a', null), state })));
  expect(of('recording', 'failed', 'verified')).toBe('recording');
  expect(of('starting', 'failed')).toBe('starting');
  expect(of('finishing', 'verified')).toBe('finishing');
  expect(of('failed', 'verified')).toBe('failed');
  expect(of('verified', 'verified')).toBe('verified');
  expect(of()).toBe('failed');
});

test('a master on another appliance is reported as being there', () => {
  const cameras = [
    awaitedCamera('cam0', { id: 'id-left', name: 'left' }),
    awaitedCamera('cam1', null),
    awaitedCamera('cam1', { id: 'id-right', name: 'right' }),
  ];
  const take: Take = { id: 't1', startedAt: '', stoppedAt: null, state: 'verified', cameras };
  expect(() => requireMasterHere(take, 'cam0')).toThrow(
    expect.objectContaining({ code: 'MASTER_ELSEWHERE' }),
  );
  for (const camera of ['cam1', 'unknown']) requireMasterHere(take, camera);
});

describe('takes on disk', () => {
  const over = (id: string, cameras: Partial<TakeCamera>[]): Take => {
    const parts = cameras.map((one) => ({
      ...awaitedCamera('cam0', null),
      state: 'verified' as const,
      verified: true,
      frames: 30,
      segments: 1,
      sizeBytes: 1000,
      ...one,
    }));
    const [startedAt, stoppedAt] = ['2026-11-22T12:00:00.000Z', '2026-11-22T12:01:00.000Z'];
    return { id, startedAt, stoppedAt, state: takeStateOf(parts), cameras: parts };
  };

  test('are listed as they come and go; a running take stays', async () => {
    const { local, onDisk } = localTakes(['cam0']);
    const { conductor } = await stage.start(local, null);
    const running = await conductor.start(null);
    onDisk.push(over('plugged', [{}]));
    await conductor.refresh();
    expect(conductor.list().map(({ id }) => id)).toEqual([running.id, 'plugged']);
    onDisk.push(over('broken', [{ state: 'failed', verified: false, reason: 'its disk is gone' }]));
    await conductor.refresh();
    onDisk.splice(0);
    await conductor.refresh();
    expect(conductor.list().map(({ id }) => id)).toEqual([running.id, 'broken']);
  });

  test('are listed as before while a disk cannot be read or hangs', async () => {
    const { local, onDisk } = localTakes(['cam0']);
    onDisk.push(over('known', [{}]));
    const { conductor } = await stage.start(local, null);
    local.list = async () => Promise.reject(new Error('i/o error'));
    await conductor.refresh();
    local.list = () => new Promise(() => {});
    await conductor.refresh();
    expect(conductor.list().map(({ id }) => id)).toEqual(['known']);
  });

  test('are not judged by their state when a slow scan of the disks began', async () => {
    const registry = registryOf();
    await linkCamera(registry, 'left', ['cam1']);
    const { local, onDisk } = localTakes(['cam0']);
    onDisk.push(over('deleted', [{}]), over('old', [{}]));
    const { conductor } = await stage.start(local, registry);
    const looked = Promise.withResolvers<readonly Take[]>();
    local.list = () => looked.promise;
    const before = [...onDisk];
    const looking = conductor.refresh();
    await conductor.remove('deleted');
    const { id } = await conductor.start(['cam0']);
    await conductor.stop(id);
    expect(conductor.get(id).state).toBe('verified');
    const elsewhere = await conductor.start(['cam1']);
    looked.resolve(before);
    await looking;
    expect(conductor.list().map((take) => [take.id, take.cameras.length])).toEqual([
      [elsewhere.id, 1],
      [id, 1],
      ['old', 1],
    ]);
  });

  test('can be deleted when over, with an event', async () => {
    const { local, calls, onDisk } = localTakes(['cam0']);
    onDisk.push(over('done', [{}]));
    const { conductor, told, gone } = await stage.start(local, null);
    const running = await conductor.start(null);
    await expect(conductor.remove(running.id)).rejects.toMatchObject({ code: 'TAKE_UNFINISHED' });
    await expect(conductor.remove('never')).rejects.toMatchObject({ code: 'TAKE_UNKNOWN' });
    await conductor.remove('done');
    expect(calls).toEqual(['start cam0', 'remove done']);
    expect(gone).toEqual(['done']);
    expect(conductor.list().map(({ id }) => id)).toEqual([running.id]);
    // A hub that has it in its list learns that there is nothing left to fetch.
    const [part] = told.at(-1)?.cameras ?? [];
    expect(part).toMatchObject({
      state: 'verified',
      segments: 0,
      verified: false,
      reason: 'its master was deleted',
    });
  });

  test('stay in the list while a remote camera has not finished its part', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { conductor, gone } = await stage.start(localTakes(['cam1']).local, registry);
    const { id } = await conductor.start(null);
    await conductor.stop(id);
    left.say({ type: 'take', takeId: id, cameras: [{ ...awaitedCamera('cam0', null), state: 'finishing' }] });
    await conductor.remove(id);
    expect(gone).toEqual([]);
    const part = { ...awaitedCamera('cam0', null), state: 'verified' as const, segments: 1 };
    left.say({ type: 'take', takeId: id, cameras: [part] });
    expect(conductor.get(id).cameras[0]).toMatchObject({ camera: 'cam0', device: 'left', segments: 1 });
  });

  test('are kept if a disk refuses to delete them', async () => {
    const { local, onDisk } = localTakes(['cam0']);
    onDisk.push(over('done', [{}]));
    local.remove = async () => Promise.reject(Object.assign(new Error('no'), { code: 'TAKE_NOT_REMOVED' }));
    const { conductor, gone } = await stage.start(local, null);
    await expect(conductor.remove('done')).rejects.toMatchObject({ code: 'TAKE_NOT_REMOVED' });
    expect(conductor.get('done').cameras[0]?.segments).toBe(1);
    expect(gone).toEqual([]);
  });

  test('keep masters on cameras; they disappear when those are gone, too', async () => {
    const registry = registryOf();
    const left = await linkCamera(registry, 'left', ['cam0']);
    const { local } = localTakes(['cam1']);
    const { conductor, gone } = await stage.start(local, registry);
    const { id } = await conductor.start(null);
    await conductor.stop(id);
    const part = { ...awaitedCamera('cam0', null), state: 'verified' as const, segments: 1, sizeBytes: 5 };
    left.say({ type: 'take', takeId: id, cameras: [part] });

    await conductor.remove(id);
    expect(conductor.get(id).cameras.map(({ camera, segments }) => [camera, segments])).toEqual([
      ['cam0', 1],
      ['cam1', 0],
    ]);
    await expect(conductor.remove(id)).rejects.toMatchObject({ code: 'MASTER_ELSEWHERE' });
    expect(gone).toEqual([]);
    left.say({
      type: 'take',
      takeId: id,
      cameras: [{ ...part, segments: 0, reason: 'its master was deleted' }],
    });
    await conductor.remove(id);
    expect(gone).toEqual([id]);
  });
});

test('the running take is also stored on the card, as the disk of its masters may be away when it ends', async () => {
  const { local, calls } = localTakes(['cam0']);
  const { conductor, state, end } = await stage.start(local, null);
  const { id } = await conductor.start(null);
  await expect.poll(() => state.get(takesSection).running).toBe(id);
  await conductor.stop(id);
  expect(calls).toContain('stop');
  await end();
  expect(state.get(takesSection).running).toBeNull();
});
