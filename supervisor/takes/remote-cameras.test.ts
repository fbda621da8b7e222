import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Take, TakeCamera } from '../contract/index.ts';
import { takesSection } from './take-book.ts';
import { ConductorStage, linkCamera, localTakes, registryOf } from './take-conductor.fake.ts';
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
