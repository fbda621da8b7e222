import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { healthy } from '../ota/updater/machine.fake.ts';
import type { Rollout } from '../supervisor/contract/index.ts';
import { FleetCamera } from './testing/fleet-camera.fake.ts';
import { FleetHub } from './testing/fleet-hub.fake.ts';
import { ReleaseServer } from './testing/release-server.fake.ts';

const sizeBytes = 3_000_000;
const version = '1.1.0';
const waitMs = 60_000;

describe('a hub updates three cameras and itself', { timeout: 120_000 }, () => {
  let releases: ReleaseServer;
  let hub: FleetHub;
  let cameras: FleetCamera[];
  /** Whose trial boots were begun, in order. */
  let order: string[];
  let over: AbortController;
  let following: Promise<void>;

  beforeEach(async () => {
    order = [];
    over = new AbortController();
    releases = await new ReleaseServer(version, sizeBytes).listen();
    hub = await FleetHub.create(releases);
    await hub.machine.boot('A');
    hub.start();
    cameras = [];
    for (const id of ['left', 'middle', 'right'])
      cameras.push(await (await FleetCamera.create(id, hub)).boot());
    following = follow(over.signal);
    await until('all are linked and tell how they stand', () => {
      const { members, available } = hub.rollout;
      return members.filter(({ online }) => online).length === 4 && available?.version === version;
    });
  });

  afterEach(async () => {
    over.abort();
    await following;
    for (const camera of cameras) await camera[Symbol.asyncDispose]();
    await hub[Symbol.asyncDispose]();
    await releases[Symbol.asyncDispose]();
  });

  /** Lets machines restart as they ask to. */
  async function follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const camera of cameras) {
        if (camera.machine.restarts[0] === 'trial') order.push(camera.id);
        await camera.followRestarts();
      }
      if (hub.machine.restarts[0] === 'trial') order.push('hub');
      await hub.followRestarts();
      await sleep(20);
    }
  }

  async function until(what: string, look: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + waitMs;
    while (!look()) {
      if (performance.now() > deadlineMs) {
        throw new Error(`${what}: not in time; ${order}; ${JSON.stringify(hub.rollout, null, 1)}`);
      }
      await sleep(20);
    }
  }

  const camera = (id: string) => cameras.find((each) => each.id === id) as FleetCamera;
  const states = ({ members }: Rollout) => Object.fromEntries(members.map(({ id, state }) => [id, state]));
  const phase = (wanted: Rollout['phase']) => until(wanted, () => hub.rollout.phase === wanted);
  const start = { canary: 'middle', hub: true };

  test('updates the canary first, one by one, the hub last, from one download; bundles go to its own cameras alone', async () => {
    await hub.ports.start(start);
    await phase('done');
    expect(order).toEqual(['middle', 'left', 'right', 'hub']);
    await until('all are linked again, with the new version', () =>
      hub.rollout.members.every(({ online, installedVersion }) => online && installedVersion === version),
    );
    expect({ bytes: releases.bytesSent, requests: releases.requests }).toEqual({
      bytes: sizeBytes,
      requests: 1,
    });
    await refusesOthers();
  });

  /** A bundle is for the cameras of this hub: neither for strangers nor for the owner, nor for a camera that was un-adopted. */
  async function refusesOthers(): Promise<void> {
    const { key, token } = await hub.keys.create('camera', 'another');
    const sha256 = createHash('sha256').update(releases.bundle).digest('hex');
    const path = `/api/rollout/bundles/${sha256}`;
    expect(await hub.statusOf(path, token)).toBe(200);
    expect(await hub.statusOf(`/api/rollout/bundles/${'0'.repeat(64)}`, token)).toBe(404);
    expect(await hub.statusOf(path, null)).toBe(401);
    expect(await hub.statusOf(path, hub.ownerToken)).toBe(403);
    await hub.keys.revoke(key.id);
    expect(await hub.statusOf(path, token)).toBe(401);
  }

  test('halts on a bad canary; another canary and a good bundle let it continue', async () => {
    await camera('middle').machine.prepare({ health: () => ({ ...healthy, cameras: { cam0: false } }) });
    await hub.ports.start({ ...start, hub: false });
    await phase('halted');
    expect(hub.rollout.reason).toBe('the canary middle failed: no frames from cam0');
    expect(order).toEqual(['middle']);
    expect(states(hub.rollout)).toMatchObject({ middle: 'failed', left: 'waiting', right: 'waiting' });
    expect(hub.rollout.members.find(({ id }) => id === 'middle')?.installedVersion).toBe('1.0.0');
    await hub.ports.chooseCanary('right');
    await camera('middle').machine.prepare({ health: () => healthy });
    await hub.ports.resume();
    await phase('done');
    expect(order).toEqual(['middle', 'right', 'middle', 'left']);
    expect(releases.requests).toBe(1);
  });

  test('defers it during a take on any machine', async () => {
    hub.take = true;
    await hub.ports.start({ ...start, hub: false });
    await until('it waits', () => hub.rollout.reason === 'a take is running');
    camera('right').recording = true;
    await until('a camera records by itself', () => hub.hubRole.isRecording);
    hub.take = false;
    await sleep(500);
    expect(order).toEqual([]);
    expect(states(hub.rollout)).toMatchObject({ middle: 'waiting', left: 'waiting', right: 'waiting' });
    camera('right').recording = false;
    await phase('done');
    expect(order).toEqual(['middle', 'left', 'right']);
  });

  test('continues after a restart of the hub in the middle, even for the camera that reads from it', async () => {
    await hub.ports.start({ ...start, hub: false });
    await until('the canary reads the bundle', () => {
      return hub.rollout.members.find(({ id }) => id === 'middle')?.busy === true;
    });
    await hub.stop();
    await sleep(1000);
    hub.start();
    await phase('done');
    // Of the others, the one that links first to the hub that is back.
    expect([order[0], order.slice(1).sort()]).toEqual(['middle', ['left', 'right']]);
    expect({ bytes: releases.bytesSent, requests: releases.requests }).toEqual({
      bytes: sizeBytes,
      requests: 1,
    });
  });

  test('runs automatically if the settings say so, once the window is open', async () => {
    const { machine } = hub;
    machine.settings = { ...machine.settings, window: windowInHours(6) };
    hub.idle = true;
    await sleep(500);
    expect({ phase: hub.rollout.phase, order }).toEqual({ phase: 'none', order: [] });
    machine.settings = { ...machine.settings, window: windowInHours(-1) };
    await phase('done');
    expect(order).toEqual(['left', 'middle', 'right', 'hub']);
    await until('all have the new version', () =>
      hub.rollout.members.every(({ installedVersion }) => installedVersion === version),
    );
    await sleep(500);
    expect(order).toHaveLength(4);
    expect(releases.requests).toBe(1);
  });

  test('never repeats a failure automatically, even after it was cancelled', async () => {
    await camera('left').machine.prepare({ health: () => ({ ...healthy, cameras: { cam0: false } }) });
    hub.idle = true;
    await phase('halted');
    expect(hub.rollout.reason).toBe('the canary left failed: no frames from cam0');
    await hub.ports.cancel();
    await phase('cancelled');
    await sleep(500);
    expect({ phase: hub.rollout.phase, order }).toEqual({ phase: 'cancelled', order: ['left'] });
  });

  test('updates one camera alone, and rolls back; a camera without a hub updates itself', async () => {
    camera('left').conducted = false;
    await hub.ports.install('left');
    await phase('halted');
    expect(hub.rollout.reason).toMatch(/^the canary left failed: Its settings keep updates to itself/);
    await hub.ports.cancel();
    await hub.ports.install('right');
    await phase('done');
    expect(order).toEqual(['right']);
    await hub.ports.rollback('right');
    await until('right is back', () => {
      const right = hub.rollout.members.find(({ id }) => id === 'right');
      return right?.installedVersion === '1.0.0' && !right.busy && right.online;
    });
    expect(order).toEqual(['right', 'right']);
  });
});

/** Two hours of the day, the first of which begins in so many hours. */
function windowInHours(hours: number): string {
  const hour = (add: number) => String((new Date().getHours() + hours + add + 24) % 24).padStart(2, '0');
  return `${hour(0)}:00-${hour(2)}:00`;
}
