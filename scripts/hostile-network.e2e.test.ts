import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConfirmReason, Feed, NewCamera, Take } from '../supervisor/contract/index.ts';
import { netnsObstacle, type TestHost } from '../supervisor/testing/netns.ts';
import type { Machine } from './testing/machine.ts';
import {
  cameraSettings,
  hubSettings,
  openTwoMachines,
  statusOf,
  type TwoMachines,
} from './testing/two-machines.ts';

const obstacle = await netnsObstacle();
const title = `strangers on the network${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;
const strangerAddress = '10.77.0.66';
const looks = 60;

const ofHub = hubSettings(true);
const ofCamera = cameraSettings(true);

describe.skipIf(obstacle !== null)(title, { timeout: 240_000 }, () => {
  let machines: TwoMachines;
  let hub: Machine;
  let camera: Machine;
  let stranger: TestHost;

  beforeEach(async () => {
    machines = await openTwoMachines();
    ({ hub, camera } = machines);
    stranger = await machines.lan.addHost('stranger', `${strangerAddress}/24`);
  });

  afterEach(async () => {
    await machines[Symbol.asyncDispose]();
  });

  /** The owner compares the codes and taps; where the camera wants it, the owner confirms on the camera before. */
  async function adopt(confirm: ConfirmReason | null = null): Promise<void> {
    const code = await camera.until('the camera shows the code of its hub', async () => {
      const { adoption } = await statusOf(camera);
      const codes = adoption === null ? [] : [adoption, ...(adoption.others ?? [])];
      const own = codes.find(({ hubName }) => hubName === 'stage');
      return (own?.confirm ?? null) === confirm ? own?.code : null;
    });
    const shows = (reason: ConfirmReason | null) =>
      hub.until(`the hub shows the camera, which asks for ${reason ?? 'nothing'}`, async () => {
        const found = await hub.ask<NewCamera[]>('GET', '/api/cameras/new');
        return found.find((one) => one.code === code && (one.confirm ?? null) === reason);
      });
    const { id } = await shows(confirm);
    if (confirm !== null) {
      await expect(hub.ask('POST', `/api/cameras/${id}/adopt`, { code })).rejects.toThrow(/CAMERA_UNDECIDED/);
      await camera.ask('POST', '/api/hub/confirm', { code });
      await shows(null);
    }
    await hub.ask('POST', `/api/cameras/${id}/adopt`, { code });
  }

  /** A stranger's hub, which takes every camera; what it says comes line by line. */
  async function greedyHub(): Promise<readonly string[]> {
    const heard: string[] = [];
    const greedy = stranger.spawn(process.execPath, 'supervisor/camera/greedy-hub-process.fake.ts', '8443');
    if (greedy.stdout) createInterface(greedy.stdout).on('line', (line) => heard.push(line));
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['ready']);
    stranger.spawn(
      process.execPath,
      'supervisor/camera/mdns-forger.fake.ts',
      ...['--own', strangerAddress, '--id', '0000', '--name', 'greedy', '--everyMs', '700'],
    );
    return heard;
  }

  const isOnline = async () => {
    const feeds = await hub.ask<Feed[]>('GET', '/api/feeds');
    return feeds.some(({ id, state }) => id === 'cam0' && state === 'online');
  };

  test('a forged announcement of a hub interrupts no feed of its cameras', async () => {
    await Promise.all([hub.boot(ofHub), camera.boot(ofCamera)]);
    await adopt();
    await hub.until('the feed arrives', isOnline);
    const { hub: link } = await statusOf(camera);
    const id = link?.id ?? '';
    const forge = (...more: string[]) =>
      stranger.spawn(
        process.execPath,
        'supervisor/camera/mdns-forger.fake.ts',
        ...['--own', strangerAddress, '--id', id, ...more],
      );
    forge('--tls', 'cd'.repeat(32), '--others', '5');
    forge('--tls', '');
    const cut: string[] = [];
    for (let look = 0; look < looks; look += 1) {
      const status = await statusOf(camera);
      const online = await isOnline();
      if (!online || status.hub?.url !== link?.url || status.hub?.state !== 'connected') {
        cut.push(`${look}: ${status.hub?.state} ${status.hub?.url} ${status.hub?.reason}, online ${online}`);
      }
      await sleep(250);
    }
    console.log(`${cut.length} of ${looks} looks found the feed or the link cut`);
    expect(cut).toEqual([]);

    // The hub goes and comes back in the middle of it.
    await hub.pullPlug();
    hub.start();
    const startedAtMs = performance.now();
    await hub.until('the feed is back', isOnline);
    await camera.until('the link is back', async () => (await statusOf(camera)).hub?.state === 'connected');
    console.log(`feed and link ${Math.round(performance.now() - startedAtMs)} ms after the start of the hub`);
  });

  test('a stranger’s hub that gives a camera a key gets neither that key nor its picture and cannot command it; its own hub can', async () => {
    const heard = await greedyHub();
    await hub.boot(ofHub);
    await hub.until('the API of the hub answers', () => statusOf(hub));
    await camera.boot(ofCamera);
    await camera.until('the stranger gives the camera a key', async () => heard.includes('grants'));
    // Longer than a hub has to be the only one.
    await sleep(15_000);
    expect((await statusOf(camera)).hub?.state).toBe('refused');
    await adopt('several-hubs');
    await hub.until('the feed arrives', isOnline);

    const grantsBefore = heard.length;
    await camera.ask('DELETE', '/api/hub');
    await hub.until('the feed is gone', async () => !(await isOnline()));
    await camera.until('the stranger tries again', async () => heard.length > grantsBefore);
    await sleep(15_000);
    expect((await statusOf(camera)).hub?.state).toBe('refused');
    await adopt('forgot-hub');
    await hub.until('the feed is back', isOnline);
    expect(new Set(heard)).toEqual(new Set(['ready', 'grants']));
    expect(await camera.ask<Take[]>('GET', '/api/takes')).toEqual([]);
  });

  test('a key stored beside the settings of a camera is shown to no stranger’s hub', async () => {
    const heard = await greedyHub();
    await hub.boot(ofHub);
    await hub.until('the API of the hub answers', () => statusOf(hub));
    await using folder = await mkdtempDisposable(join(tmpdir(), 'rushlight-key-'));
    const file = join(folder.path, 'hub-key');
    await writeFile(file, 'rl_laid\n');
    await camera.boot(ofCamera.replace('hub = "auto"', `hub = "auto"\ntoken_file = "${file}"`));
    await camera.until('the API of the camera answers', () => statusOf(camera));
    await sleep(15_000);
    expect(heard).toEqual(['ready']);
    await camera.until('the camera asks which hub is its own', async () => {
      return (await statusOf(camera)).hub?.reason?.startsWith('More than one hub') === true;
    });
  });
});
