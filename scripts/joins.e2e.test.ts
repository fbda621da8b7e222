import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { stripAgeMs } from '../media/capture/strip.ts';
import type { Feed } from '../supervisor/contract/index.ts';
import { type ApplianceProcess, startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';
import { picturesSeen, racesIn, type SeenPicture, watchPictures } from './testing/seen-pictures.ts';

const [height, fps] = [360, 30];
/** The test source encodes on its own clock: it ignores requests for keyframes. */
const config = `role = "hub"
[masters]
codec = "off"
[[source]]
id = "cam0"
kind = "test"
width = 640
height = ${height}
fps = ${fps}
bitrate_kbps = 1500
keyframe_interval_s = 10
small = "off"
`;

const feedOf = async (appliance: ApplianceProcess) => (await appliance.get<Feed[]>('/api/feeds'))[0];

/** Opens the page when the last keyframe is some seconds old, and returns what it shows until some time after it is live. */
const join = async (appliance: ApplianceProcess, page: Page): Promise<readonly SeenPicture[]> => {
  await appliance.until('half of the pictures are missed', async () => {
    const { keyframeAgeMs } = (await feedOf(appliance)) ?? {};
    return keyframeAgeMs != null && keyframeAgeMs > 4000 && keyframeAgeMs < 7000;
  });
  await page.goto(appliance.url);
  const enough = 2 * fps;
  const videoSeen = async () => (await picturesSeen(page)).filter(({ still }) => !still).length;
  await expect.poll(videoSeen, { timeout: 60_000, interval: 500 }).toBeGreaterThan(enough);
  return await picturesSeen(page);
};

test('a viewer who joins seconds after a keyframe sees one still, and then life', async () => {
  await using appliance = await startAppliance({ config });
  await appliance.until(
    'the feed is live',
    async () => (await feedOf(appliance))?.state === 'online',
    120_000,
  );
  await sleep(4000);
  await using browser = await openBrowser();
  const page = await browser.newPage();
  await watchPictures(page, height);
  const joins: (readonly SeenPicture[])[] = [];
  for (let tries = 0; tries < 10 && joins.length < 3; tries += 1) {
    const seen = await join(appliance, page);
    const [first] = seen;
    // A browser that was busy for seconds has shown nothing meanwhile.
    if (first !== undefined && stripAgeMs(first, first.unixMs) > 2500) joins.push(seen);
  }
  expect(joins).toHaveLength(3);
  for (const seen of joins) {
    const [first, ...later] = seen;
    // A busy machine may show a few pictures late and the next ones soon after; a race has more.
    const fast = racesIn(seen, fps).reduce((sum, { steps }) => sum + steps, 0);
    expect(fast).toBeLessThan(10);
    // One cut over the pictures that were missed: two seconds of them at least.
    expect((later[0]?.frame ?? 0) - (first?.frame ?? 0)).toBeGreaterThan(2 * fps);
    expect(first?.still).toBe(true);
    expect(later.filter(({ still }) => still)).toEqual([]);
  }
}, 360_000);
