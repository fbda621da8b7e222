import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readStrip } from '../media/capture/strip.ts';
import type { Feed } from '../supervisor/api/contract.ts';
import { type ApplianceProcess, processesNaming, startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';

/** What a viewer has seen of a feed since it began to look. */
interface Seen {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly freezes: number;
  readonly seconds: number;
  /** Top rows of pictures taken on the way, RGBA. */
  readonly strips: number[][];
}

/** Watches the tile's video for a while; the strip across its top is read from a canvas. */
async function watch(page: Page, seconds: number): Promise<Seen> {
  const selector = '[data-feed="cam0"] video';
  await page.waitForFunction(
    (where) => (document.querySelector<HTMLVideoElement>(where)?.videoWidth ?? 0) > 0,
    selector,
    { timeout: 20_000 },
  );
  return await page.evaluate(
    async ({ where, ms }) => {
      const video = document.querySelector<HTMLVideoElement>(where);
      if (video === null) throw new Error('no video');
      const canvas = document.createElement('canvas');
      canvas.width = video.videoWidth;
      canvas.height = 20;
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (context === null) throw new Error('no canvas');
      const before = video.getVideoPlaybackQuality();
      const startedAt = performance.now();
      const strips: number[][] = [];
      let longestGap = 0;
      let last = startedAt;
      let shown = 0;
      while (performance.now() - startedAt < ms) {
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
        const now = performance.now();
        longestGap = Math.max(longestGap, now - last);
        last = now;
        shown += 1;
        if (shown % 30 === 1) {
          context.drawImage(video, 0, 0, canvas.width, 20, 0, 0, canvas.width, 20);
          strips.push([...context.getImageData(0, 10, canvas.width, 1).data]);
        }
      }
      const after = video.getVideoPlaybackQuality();
      return {
        frames: after.totalVideoFrames - before.totalVideoFrames,
        width: video.videoWidth,
        height: video.videoHeight,
        freezes: longestGap > 1000 ? 1 : 0,
        seconds: (performance.now() - startedAt) / 1000,
        strips,
      };
    },
    { where: selector, ms: seconds * 1000 },
  );
}

/** Frame numbers read from strips; rows are widened to a picture, as the reader expects one. */
function frameNumbers(strips: readonly number[][]): number[] {
  return strips.flatMap((row) => {
    const reading = readStrip({ data: row, width: row.length / 4, height: 1, stride: 4 });
    return reading === undefined ? [] : [reading.frame];
  });
}

describe('npm start', () => {
  let appliance: ApplianceProcess;

  beforeAll(async () => {
    appliance = await startAppliance();
    await appliance.until('the page answers', async () => (await fetch(appliance.url)).ok, 90_000);
  }, 120_000);

  afterAll(async () => {
    await appliance[Symbol.asyncDispose]();
  });

  test('a browser sees cam0 at 1280x720 and 25 frames a second or more, without a freeze, and its frames advance', async () => {
    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(appliance.url);
    const seen = await watch(page, 10);
    console.log(
      `${(seen.frames / seen.seconds).toFixed(1)} frames a second over ${seen.seconds.toFixed(1)} s`,
    );
    expect(seen).toMatchObject({ width: 1280, height: 720, freezes: 0 });
    expect(seen.frames / seen.seconds).toBeGreaterThanOrEqual(25);
    const numbers = frameNumbers(seen.strips);
    expect(numbers.length).toBeGreaterThanOrEqual(6);
    const steps = numbers.slice(1).map((number, index) => (number - (numbers[index] ?? 0) + 65_536) % 65_536);
    for (const step of steps) expect(step).toBeGreaterThan(0);
    expect(steps.reduce((sum, step) => sum + step, 0)).toBeGreaterThan(150);
  });

  test('the feed is told as it is', async () => {
    const feeds = await appliance.get<Feed[]>('/api/feeds');
    expect(feeds).toEqual([
      expect.objectContaining({
        id: 'cam0',
        state: 'online',
        width: 1280,
        height: 720,
        codec: expect.stringMatching(/^avc1\./),
      }),
    ]);
  });

  test('Ctrl-C ends everything it started, and leaves no half-written file', async () => {
    expect(await appliance.stop()).toBe(0);
    expect(await processesNaming(appliance.data)).toEqual([]);
    expect(JSON.parse(await readFile(join(appliance.data, 'state.json'), 'utf8'))).toHaveProperty('version');
  });
});
