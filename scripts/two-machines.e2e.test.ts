import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Feed, NewCamera, Take } from '../supervisor/contract/index.ts';
import { netnsObstacle } from '../supervisor/testing/netns.ts';
import { apiPort, type Machine } from './testing/machine.ts';
import { readTake } from './testing/take-files.ts';
import {
  cameraSettings,
  hubAddress,
  hubSettings,
  openTwoMachines,
  statusOf,
  type TwoMachines,
} from './testing/two-machines.ts';

const obstacle = await netnsObstacle();
const title = `a hub and a camera on two machines${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;
/** RUSHLIGHT_LONG_TESTS=1 leaves the cable out for a whole minute. */
const cableOutMs = process.env.RUSHLIGHT_LONG_TESTS === '1' ? 60_000 : 15_000;

describe.skipIf(obstacle !== null)(title, { timeout: 300_000 }, () => {
  let machines: TwoMachines;
  let hub: Machine;
  let camera: Machine;

  beforeEach(async () => {
    machines = await openTwoMachines();
    ({ hub, camera } = machines);
  });

  afterEach(async () => {
    await machines[Symbol.asyncDispose]();
  });

  /** Until the hub passes on new frames of the camera, linked at that address; returns how long that took. */
  async function feedArrives(what: string, address?: string): Promise<number> {
    const startedAtMs = performance.now();
    const frames = async () => {
      const feeds = await hub.ask<Feed[]>('GET', '/api/feeds');
      const feed = feeds.find(({ id, state }) => id === 'cam0' && state === 'online');
      return feed?.publisher?.kind === 'whip' ? feed : null;
    };
    let before: number | null = null;
    await hub.until(what, async () => {
      const feed = await frames();
      if (address !== undefined && !(await statusOf(camera)).hub?.url?.includes(address)) return false;
      const grown = feed !== null && before !== null && feed.framesTotal > before;
      before = feed?.framesTotal ?? null;
      return grown;
    });
    return Math.round(performance.now() - startedAtMs);
  }

  /** Until the camera has a link from this address; returns how long that took. */
  async function linkedFrom(address: string): Promise<number> {
    const startedAtMs = performance.now();
    await hub.until(`the camera is linked from ${address}`, async () => {
      const [linked] = (await statusOf(hub)).cameras;
      return linked?.online === true && linked.address.includes(address);
    });
    return Math.round(performance.now() - startedAtMs);
  }

  /** The owner compares the codes that hub and camera show, and taps. */
  async function adopt(): Promise<void> {
    const shown = await camera.until(
      'the camera shows a code',
      async () => (await statusOf(camera)).adoption,
    );
    const waiting = await hub.until('the hub shows the camera', async () => {
      const [first] = await hub.ask<NewCamera[]>('GET', '/api/cameras/new');
      return first;
    });
    expect(waiting).toMatchObject({ name: 'left', code: shown.code });
    expect(shown.hubName).toBe('stage');
    await hub.ask('POST', `/api/cameras/${waiting.id}/adopt`, { code: shown.code });
    const link = await camera.until('the camera is linked', async () => {
      const status = await statusOf(camera);
      return status.hub?.state === 'connected' && status.adoption === null ? status.hub : null;
    });
    expect(link.name).toBe('stage');
  }

  /** The owner says on the camera that the hub is theirs: it was made to forget it. */
  async function confirm(): Promise<void> {
    const code = await camera.until('the camera asks which hub is its own', async () => {
      const { adoption } = await statusOf(camera);
      return adoption?.confirm === 'forgot-hub' ? adoption.code : null;
    });
    await camera.ask('POST', '/api/hub/confirm', { code });
    await hub.until('the hub knows', async () => {
      const [first] = await hub.ask<NewCamera[]>('GET', '/api/cameras/new');
      return first?.code === code && first.confirm === undefined;
    });
  }

  async function refused(): Promise<string> {
    await hub.pullPlug();
    await hub.wipe();
    hub.start();
    return await camera.until('the camera refuses the new hub', async () => {
      const { hub: link } = await statusOf(camera);
      return link?.state === 'refused' ? link.reason : null;
    });
  }

  test('find each other, record together, survive a restart of the hub and a pulled cable, and recognise each other again', async () => {
    await Promise.all([hub.boot(hubSettings(false)), camera.boot(cameraSettings(false))]);
    await adopt();
    console.log(`feed at the hub ${await feedArrives('the feed arrives')} ms after adoption`);

    const { id } = await hub.ask<Take>('POST', '/api/takes');
    await hub.until('the camera records', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${id}`)).state === 'recording';
    });

    await hub.pullPlug();
    await sleep(3000);
    hub.start();
    await hub.until('the API of the hub answers', () => statusOf(hub));
    console.log(`feed ${await feedArrives('the feed is back')} ms after the API of the restarted hub`);
    await camera.until('the link is back', async () => (await statusOf(camera)).hub?.state === 'connected');

    await camera.host.cutCable();
    await camera.until('the camera notices', async () => (await statusOf(camera)).hub?.state !== 'connected');
    await sleep(4000);
    await camera.host.restoreCable();
    const backAfterMs = await feedArrives('the feed is back after the cable');
    console.log(`feed ${backAfterMs} ms after the cable (bar: 3000 ms)`);
    await camera.until('the link is back', async () => (await statusOf(camera)).hub?.state === 'connected');

    const running = await hub.ask<Take>('GET', `/api/takes/${id}`);
    expect(running).toMatchObject({ stoppedAt: null, state: 'recording' });
    await hub.ask('POST', `/api/takes/${id}/stop`);
    const done = await hub.until('the hub knows that the master is verified', async () => {
      const take = await hub.ask<Take>('GET', `/api/takes/${id}`);
      return take.state === 'verified' ? take : null;
    });
    expect(done.cameras).toEqual([
      expect.objectContaining({
        camera: 'cam0',
        device: 'left',
        verified: true,
        droppedFrames: 0,
        segments: 1,
      }),
    ]);
    const { manifest } = await readTake(camera.data, id);
    expect(manifest.cameras.cam0).toMatchObject({ state: 'verified', droppedFrames: 0 });
    expect(manifest.cameras.cam0?.segments).toHaveLength(1);

    await expect(hub.ask('DELETE', `/api/takes/${id}`)).rejects.toThrow(/MASTER_ELSEWHERE/);
    await camera.ask('DELETE', `/api/takes/${id}`);
    await expect(readTake(camera.data, id)).rejects.toThrow(/no folder of take/);
    await hub.until('the hub knows that the master is gone', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${id}`)).cameras[0]?.segments === 0;
    });
    await hub.ask('DELETE', `/api/takes/${id}`);
    expect(await hub.ask('GET', '/api/takes')).toEqual([]);

    await camera.configure(cameraSettings(false, `http://${hubAddress}:${apiPort}`));
    await camera.until('the address that was set is used', async () => {
      const { hub: link } = await statusOf(camera);
      return link?.state === 'connected' && link.url === `http://${hubAddress}:${apiPort}`;
    });
    await feedArrives('the feed arrives by the address that was set');

    expect(await refused()).toMatch(/key/i);
  });

  test('a camera that boots first finds its hub, follows it to another address, and catches up on what it missed', async () => {
    await camera.boot(cameraSettings(false));
    await camera.until(
      'the camera searches',
      async () => (await statusOf(camera)).hub?.state === 'searching',
    );
    await hub.boot(hubSettings(false));
    await adopt();
    await feedArrives('the feed arrives');

    const [feed] = await hub.until('age of the pictures and clock of the camera are known', async () => {
      const feeds = await hub.ask<Feed[]>('GET', '/api/feeds');
      return feeds[0]?.latencyMs === null ? null : feeds;
    });
    const { clockOffsetMs, clockUncertaintyMs } = (await statusOf(hub)).cameras[0] ?? {};
    console.log(
      `capture to hub ${feed?.latencyMs} ms, clock of the camera ${clockOffsetMs} ms ahead, ± ${clockUncertaintyMs} ms`,
    );
    // Both have the clock of this machine.
    expect(Math.abs(clockOffsetMs ?? Number.NaN)).toBeLessThanOrEqual(clockUncertaintyMs ?? 0);

    const { id } = await hub.ask<Take>('POST', '/api/takes');
    await hub.until('the camera records', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${id}`)).state === 'recording';
    });

    await hub.host.setAddress('10.77.0.9/24');
    const moved = await feedArrives('the feed is back at the new address', '10.77.0.9');
    console.log(`feed ${moved} ms after the hub's address changed (bar: 3000 ms)`);

    await camera.host.setAddress('10.77.0.12/24');
    const linkedAgain = await linkedFrom('10.77.0.12');
    console.log(
      `link ${linkedAgain} ms, feed ${await feedArrives('the feed goes on')} ms after the camera's address changed (bar: 3000 ms)`,
    );

    await camera.host.cutCable();
    await sleep(cableOutMs);
    await camera.host.restoreCable();
    console.log(
      `feed ${await feedArrives('the feed is back')} ms after ${cableOutMs / 1000} s without a cable (bar: 3000 ms)`,
    );

    await hub.until('the camera is linked', async () => (await statusOf(hub)).cameras[0]?.online === true);
    await hub.ask('POST', `/api/takes/${id}/stop`);
    await hub.until('the hub knows that the master is verified', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${id}`)).state === 'verified';
    });
    const { manifest } = await readTake(camera.data, id);
    expect(manifest.cameras.cam0).toMatchObject({ state: 'verified', droppedFrames: 0 });
    expect(manifest.cameras.cam0?.segments).toHaveLength(1);
    expect(manifest.cameras.cam0?.frames).toBeGreaterThan((cableOutMs / 1000) * 25);
  });

  test('a camera that is removed or forgets its hub loses its key, and can be adopted again', async () => {
    await Promise.all([hub.boot(hubSettings(true)), camera.boot(cameraSettings(true))]);
    await adopt();
    await feedArrives('the feed arrives');
    const [known] = (await statusOf(hub)).cameras;
    await hub.ask('DELETE', `/api/cameras/${known?.id}/adoption`);
    const { feeds, cameras } = await hub.until('its feed is gone', async () => {
      const status = await statusOf(hub);
      return status.feeds.every(({ state }) => state !== 'online') ? status : null;
    });
    expect({ feeds: feeds.map(({ id }) => id), cameras }).toEqual({ feeds: [], cameras: [] });
    await adopt();
    await feedArrives('the feed is back');

    await camera.ask('DELETE', '/api/hub');
    await confirm();
    await adopt();
    await feedArrives('the feed is back again');
    expect((await statusOf(hub)).cameras).toHaveLength(1);
  });

  test('on a link that is too narrow the picture uses less, but never changes during a take', async () => {
    await Promise.all([hub.boot(hubSettings(false)), camera.boot(cameraSettings(false))]);
    await adopt();
    await feedArrives('the feed arrives');
    const encoder = async () => (await statusOf(camera)).sources[0]?.encoder?.reason ?? '';
    const narrow = (rate: string) =>
      camera.host.shape('tbf', 'rate', rate, 'burst', '16kbit', 'latency', '200ms');
    const loss = async () => (await hub.ask<Feed[]>('GET', '/api/feeds'))[0]?.packetsLost ?? 0;
    expect(await encoder()).not.toContain('the link carries');
    const { id } = await hub.ask<Take>('POST', '/api/takes');
    await hub.until('the camera records', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${id}`)).state === 'recording';
    });
    await narrow('700kbit');
    const lostBefore = await loss();
    await hub.until('packets are lost', async () => (await loss()) > lostBefore + 50);
    await sleep(15_000);
    expect(await encoder()).not.toContain('the link carries');
    await hub.ask('POST', `/api/takes/${id}/stop`);
    await hub.until('the master is verified', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${id}`)).state === 'verified';
    });
    const { manifest } = await readTake(camera.data, id);
    expect(manifest.cameras.cam0).toMatchObject({ state: 'verified', droppedFrames: 0 });

    const fits = async () => {
      const reason = await encoder();
      const kbps = Number(/(\d+) instead of \d+ kbit\/s: the link carries/.exec(reason)?.[1] ?? Number.NaN);
      return kbps <= 700 ? reason : null;
    };
    console.log(await camera.until('the camera sends what the link carries', fits, 150_000));
    await feedArrives('the feed goes on');
  });

  test('a camera without a video encoder sends pictures, over the same link and while it records masters', async () => {
    const settings = `${cameraSettings(true)}encoder = "jpeg"\n`;
    await Promise.all([hub.boot(hubSettings(true)), camera.boot(settings)]);
    await adopt();
    const arrive = async (what: string) => {
      const startedAtMs = performance.now();
      let before: number | null = null;
      const feed = await hub.until(what, async () => {
        const feeds = await hub.ask<Feed[]>('GET', '/api/feeds');
        const found = feeds.find(({ id, state }) => id === 'cam0' && state === 'online');
        const grown = found !== undefined && before !== null && found.framesTotal > before;
        before = found?.framesTotal ?? null;
        return grown ? found : null;
      });
      return { feed, afterMs: Math.round(performance.now() - startedAtMs) };
    };
    const { feed } = await arrive('pictures arrive');
    expect(feed).toMatchObject({ codec: 'mjpeg', width: 320, height: 180, publisher: { kind: 'jpeg' } });
    const [source] = (await statusOf(hub)).cameras[0]?.sources ?? [];
    expect(source).toMatchObject({ state: 'running', encoder: { name: 'mjpeg' } });
    expect(source?.encoder?.reason).toContain('The settings ask for pictures.');
    // The same pictures on the camera's own page.
    expect(await camera.ask<Feed[]>('GET', '/api/feeds')).toMatchObject([
      { id: 'cam0', codec: 'mjpeg', state: 'online', publisher: { kind: 'ingest' } },
    ]);

    const { id } = await hub.ask<Take>('POST', '/api/takes');
    await hub.until('the camera records', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${id}`)).state === 'recording';
    });
    await hub.host.setAddress('10.77.0.9/24');
    await camera.until('the link is back', async () => {
      const { hub: link } = await statusOf(camera);
      return link?.state === 'connected' && link.url?.includes('10.77.0.9') === true;
    });
    console.log(
      `pictures ${(await arrive('pictures go on')).afterMs} ms after the link to the hub's new address`,
    );
    await hub.ask('POST', `/api/takes/${id}/stop`);
    await hub.until('the master is verified', async () => {
      return (await hub.ask<Take>('GET', `/api/takes/${id}`)).state === 'verified';
    });
    const { manifest } = await readTake(camera.data, id);
    expect(manifest.cameras.cam0).toMatchObject({ state: 'verified', droppedFrames: 0 });
  });

  test('with TLS the camera pins the key of its hub and sends nothing to another one', async () => {
    await Promise.all([hub.boot(hubSettings(true)), camera.boot(cameraSettings(true))]);
    await adopt();
    await feedArrives('the feed arrives by TLS');
    expect((await statusOf(camera)).hub?.url).toMatch(/^https:/);
    expect(await refused()).toMatch(/another key/);
    expect(await hub.ask<Feed[]>('GET', '/api/feeds')).toEqual([]);
  });

  test('with TLS, a configured address and no announced key, comparing the code covers the key', async () => {
    const url = `https://${hubAddress}:8443`;
    await Promise.all([hub.boot(hubSettings(true)), camera.boot(cameraSettings(true, url))]);
    await adopt();
    await feedArrives('the feed arrives by TLS');
    expect(await refused()).toMatch(/another key/);
  });
});
