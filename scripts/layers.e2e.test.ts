import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Feed, NewCamera, Status } from '../supervisor/contract/index.ts';
import { netnsObstacle, TestLan } from '../supervisor/testing/netns.ts';
import { startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';
import { apiPort, Machine } from './testing/machine.ts';

const sourceOf = (id: string, small: 'on' | 'off') =>
  `[[source]]\nid = "${id}"\nkind = "test"\nwidth = 960\nheight = 540\nfps = 15\nbitrate_kbps = 1500\nsmall = "${small}"\nsmall_width = 320\n`;

const rids = (feeds: readonly Feed[], id: string) =>
  feeds.find((feed) => feed.id === id)?.layers.map(({ rid, width }) => `${rid} ${width}`) ?? [];

/** Width of the picture that a tile shows. */
const widthOf = (page: Page, feed: string) =>
  page.evaluate(
    (id) => document.querySelector<HTMLVideoElement>(`[data-feed="${id}"] video`)?.videoWidth,
    feed,
  );

const patient = { timeout: 60_000 };

test('the page uses the small layer in the grid, the full one large, and nothing for hidden feeds', async () => {
  const settings = `role = "hub"\n\n${sourceOf('cam0', 'on')}\n${sourceOf('cam1', 'on')}\n${sourceOf('plain', 'off')}`;
  await using appliance = await startAppliance({ config: settings });
  const feeds = () => appliance.get<Feed[]>('/api/feeds');
  await appliance.until(
    'the feeds are online',
    async () => {
      const now = await feeds();
      return ['cam0', 'cam1'].every((id) => rids(now, id).length === 2) && rids(now, 'plain').length === 1;
    },
    90_000,
  );
  expect(rids(await feeds(), 'cam0')).toEqual(['high 960', 'low 320']);
  const viewerOf = async (id: string) => (await feeds()).find((feed) => feed.id === id)?.viewers[0];
  await using browser = await openBrowser();
  const page = await browser.newPage();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(appliance.url);
  const tile = (id: string) => page.locator(`[data-feed="${id}"]`);
  await expect.poll(() => widthOf(page, 'cam0'), patient).toBe(320);
  await expect.poll(() => widthOf(page, 'cam1'), patient).toBe(320);
  // Without a small layer everything is as it was.
  await expect.poll(() => widthOf(page, 'plain'), patient).toBe(960);
  await expect.poll(() => tile('cam0').getAttribute('data-layer'), patient).toBe('low');
  const session = (await viewerOf('cam0'))?.id;

  await tile('cam0').locator('.tile-link').click();
  await expect.poll(() => widthOf(page, 'cam0'), patient).toBe(960);
  await expect.poll(() => tile('cam0').getAttribute('data-layer'), patient).toBe('high');
  await expect
    .poll(() => page.locator('[data-testid="details"]').textContent(), patient)
    .toContain('full layer');
  await expect.poll(async () => (await viewerOf('cam1'))?.paused, patient).toBe(true);
  await expect.poll(async () => (await viewerOf('cam1'))?.bitrateKbps, patient).toBe(0);
  await expect.poll(async () => (await viewerOf('plain'))?.paused, patient).toBe(true);

  await page.keyboard.press('Escape');
  await expect.poll(() => widthOf(page, 'cam0'), patient).toBe(320);
  await expect.poll(async () => (await viewerOf('cam1'))?.paused, patient).toBe(false);
  await expect.poll(() => tile('plain').getAttribute('data-state'), patient).toBe('live');
  // All of it within the session that was there.
  expect(await viewerOf('cam0')).toMatchObject({
    id: session,
    layer: 'low',
    paused: false,
    skippedFrames: 0,
  });
}, 240_000);

const obstacle = await netnsObstacle();
const hubAddress = '10.77.0.1';
const http = `[http]\nlisten = ["0.0.0.0"]\nport = ${apiPort}\ntls = false\n`;

describe.skipIf(obstacle !== null)(
  `two machines${obstacle === null ? '' : ` (skipped: ${obstacle})`}`,
  () => {
    test('a camera sends both layers to its hub, and the hub continues with the full one if the small one ends', async () => {
      await using lan = await new TestLan().open();
      await using hub = new Machine(await lan.addHost('hub', `${hubAddress}/24`));
      await using camera = new Machine(await lan.addHost('camera', '10.77.0.2/24'));
      const devices = '[devices]\nadopt = "ask"\n';
      const cameraSettings = (small: 'on' | 'off') =>
        `role = "camera"\nname = "left"\n${http}[camera]\nhub = "auto"\n${devices}${sourceOf('cam0', small)}`;
      await Promise.all([
        hub.boot(`role = "hub"\nname = "stage"\n${http}${devices}`),
        camera.boot(cameraSettings('on')),
      ]);
      const code = await camera.until('the camera shows a code', async () => {
        return (await camera.ask<Status>('GET', '/api/status')).adoption?.code;
      });
      const waiting = await hub.until('the hub shows the camera', async () => {
        return (await hub.ask<NewCamera[]>('GET', '/api/cameras/new'))[0];
      });
      await hub.ask('POST', `/api/cameras/${waiting.id}/adopt`, { code });
      const layers = async () => rids(await hub.ask<Feed[]>('GET', '/api/feeds'), 'cam0');
      await hub.until('both layers arrive', async () => (await layers()).length === 2);
      expect(await layers()).toEqual(['high 960', 'low 320']);
      // The list has one feed: the small layer is part of it.
      expect((await hub.ask<Feed[]>('GET', '/api/feeds')).map(({ id }) => id)).toEqual(['cam0']);
      await camera.configure(cameraSettings('off'));
      await hub.until('the small layer is gone', async () => (await layers()).length === 1);
      expect(await layers()).toEqual(['high 960']);
    }, 240_000);
  },
);
