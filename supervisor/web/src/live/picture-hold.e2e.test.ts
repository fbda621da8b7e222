import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { FakeAppliance } from '../../testing/appliance.fake.ts';
import { picture, usePages } from '../../testing/browser.ts';
import { feedFixture, statusFixture } from '../../testing/fixture.ts';
import { Publisher } from '../../testing/publisher.ts';
import { changeLimitMs, holdLimitMs } from './catch-up.ts';

const pages = usePages();

const live = '[data-feed="cam0"][data-state="live"]';
const still = '[data-feed="cam0"] .still';
const badge = '[data-feed="cam0"] .state-badge';
const patient = { timeout: 30_000 };

interface Race {
  /** The browser reports times of pictures as during a race: half a millisecond apart. */
  racing: boolean;
  /** A race may last for ever: timers this long are not set. Empty: it may not. */
  endlessMs: readonly number[];
  /** How often pictures were asked for. */
  asked: number;
}

/** Lets the test decide whether pictures race. Runs in the browser. */
const controlRace = (race: Race) => {
  Object.assign(globalThis, { race });
  const { requestVideoFrameCallback } = HTMLVideoElement.prototype;
  const { setTimeout } = globalThis;
  const patient = (handler: () => void, ms?: number) =>
    race.endlessMs.includes(ms ?? 0) ? 0 : setTimeout(handler, ms);
  Object.assign(globalThis, { setTimeout: patient });
  let rtpTimestamp = 0;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
    race.asked += 1;
    return requestVideoFrameCallback.call(this, (atMs, metadata) => {
      rtpTimestamp += 45;
      const clockMs = race.endlessMs.length === 0 || !race.racing ? atMs : rtpTimestamp / 1000;
      callback(clockMs, race.racing ? { ...metadata, rtpTimestamp } : metadata);
    });
  };
};

const race = (page: Page, racing: boolean): Promise<void> =>
  page.evaluate((to) => {
    (globalThis as unknown as { race: Race }).race.racing = to;
  }, racing);

const asked = (page: Page): Promise<number> =>
  page.evaluate(() => (globalThis as unknown as { race: Race }).race.asked);

const visit = async (prepare: (page: Page) => Promise<unknown>, layers = false) => {
  const appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture({ feeds: [feedFixture(layers ? { layers: [...bothLayers] } : {})] });
  const publisher = await Publisher.open(pages.browser);
  appliance.answerOffer = async (feed, offer) => {
    if (!offer.startsWith('v=')) return { status: 200, body: '{}' };
    const answer = await publisher.answer(feed, offer);
    const link = '</whep/cam0/1/layer>; rel="urn:ietf:params:whep:ext:core:layer"';
    return layers ? { ...answer, headers: { ...answer.headers, link } } : answer;
  };
  const page = await (await pages.browser.newContext()).newPage();
  await prepare(page);
  await page.goto(await appliance.listen());
  return { appliance, publisher, page };
};

const bothLayers = [
  { rid: 'high', width: 1280, height: 720, fps: 25, bitrateKbps: 3000 },
  { rid: 'low', width: 640, height: 360, fps: 25, bitrateKbps: 300 },
] as const;

const endlessMs = [holdLimitMs, changeLimitMs];
const racing = (page: Page) => page.addInitScript(controlRace, { racing: true, endlessMs, asked: 0 });
const calm = (page: Page) => page.addInitScript(controlRace, { racing: false, endlessMs, asked: 0 });
const racingOn = (page: Page) => page.addInitScript(controlRace, { racing: true, endlessMs: [], asked: 0 });

const framesShown = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      document.querySelector<HTMLVideoElement>('[data-feed="cam0"] video')?.getVideoPlaybackQuality()
        .totalVideoFrames ?? 0,
  );

const moreFrames = async (page: Page, frames = 10) => {
  const before = await framesShown(page);
  await expect.poll(() => framesShown(page), patient).toBeGreaterThan(before + frames);
};

const stillPicture = (page: Page): Promise<string> =>
  page.evaluate((selector) => document.querySelector<HTMLCanvasElement>(selector)?.toDataURL() ?? '', still);

/** The brightest channel of the still's first pixel. */
const brightness = (page: Page): Promise<number> =>
  page.evaluate((selector) => {
    const canvas = document.querySelector<HTMLCanvasElement>(selector);
    return Math.max(...(canvas?.getContext('2d')?.getImageData(0, 0, 1, 1).data.slice(0, 3) ?? []));
  }, still);

/** Whether the still lies exactly where the video is, and is fitted in like it. */
const coversVideo = (page: Page): Promise<boolean> =>
  page.evaluate((selector) => {
    const placeOf = (element: Element | null) => {
      if (element === null) return null;
      const { x, y, width, height } = element.getBoundingClientRect();
      return [x, y, width, height, getComputedStyle(element).objectFit].join();
    };
    const canvas = document.querySelector<HTMLCanvasElement>(selector);
    const video = document.querySelector<HTMLVideoElement>('[data-feed="cam0"] video');
    const sameShape = canvas?.width === video?.videoWidth && canvas?.height === video?.videoHeight;
    return sameShape && placeOf(canvas) === placeOf(video);
  }, still);

test('while pictures race, their first one stays; then the video is shown and no longer looked at', async () => {
  const { appliance, page } = await visit(racing);
  await using _appliance = appliance;
  await page.locator(`${still}[data-held="still"]`).waitFor(patient);
  const first = await stillPicture(page);
  await moreFrames(page);
  expect(await stillPicture(page)).toBe(first);
  expect(await coversVideo(page)).toBe(true);
  await race(page, false);
  await page.locator(still).waitFor({ state: 'hidden', ...patient });
  await page.locator(live).waitFor(patient);
  expect(await page.locator(badge).textContent()).toBe('Live');
  const before = await asked(page);
  await moreFrames(page);
  expect(await asked(page)).toBe(before);
  await page.context().close();
}, 120_000);

test('a race that lasts is named, and its still lies like the video in each view', async () => {
  const { appliance, page } = await visit(racing);
  await using _appliance = appliance;
  await page.locator(`${live}[data-late]`).waitFor(patient);
  expect(await page.locator(badge).textContent()).toBe('Catching up');
  await page.screenshot({ path: picture('held-grid') });
  await page.locator('[data-feed="cam0"] .tile-link').click();
  await page.locator('[data-testid="single"]').waitFor();
  expect(await coversVideo(page)).toBe(true);
  await page.screenshot({ path: picture('held-single') });
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await coversVideo(page)).toBe(true);
  await page.screenshot({ path: picture('held-phone') });
  await race(page, false);
  await page.locator(still).waitFor({ state: 'hidden', ...patient });
  await expect.poll(() => page.locator(badge).textContent()).toBe('Live');
  await page.context().close();
}, 120_000);

test('a race that does not end is shown in the end', async () => {
  const { appliance, page } = await visit(racingOn);
  await using _appliance = appliance;
  await page.locator(live).waitFor(patient);
  await page.locator(still).waitFor({ state: 'hidden', ...patient });
  await moreFrames(page);
  expect(await page.locator(still).isHidden()).toBe(true);
  await page.context().close();
}, 120_000);

test('a join that is live at once looks at two or three pictures', async () => {
  const { appliance, page } = await visit(calm);
  await using _appliance = appliance;
  await page.locator(live).waitFor(patient);
  await page.locator(still).waitFor({ state: 'hidden', ...patient });
  await moreFrames(page);
  expect(await asked(page)).toBeLessThan(10);
  await page.context().close();
}, 120_000);

test('the last picture of a session stays until the next one is live', async () => {
  const { appliance, publisher, page } = await visit(calm);
  await using _appliance = appliance;
  await page.locator(live).waitFor(patient);
  await page.locator(still).waitFor({ state: 'hidden', ...patient });
  await race(page, true);
  await publisher.endPeers();
  await page.locator(`${still}[data-held="former"]`).waitFor(patient);
  const kept = await stillPicture(page);
  await page.screenshot({ path: picture('held-reconnecting') });
  expect(await brightness(page)).toBeGreaterThan(60);
  await page.locator(live).waitFor(patient);
  expect(await coversVideo(page)).toBe(true);
  expect(await stillPicture(page)).toBe(kept);
  await page.screenshot({ path: picture('held-former') });
  await race(page, false);
  await page.locator(still).waitFor({ state: 'hidden', ...patient });
  expect(appliance.count('POST', /^\/whep\/cam0$/)).toBe(2);
  await page.context().close();
}, 120_000);

test('the picture before a change of layer stays while the other layer catches up', async () => {
  // Narrow enough for the small layer in the grid.
  const phone = async (page: Page) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await calm(page);
  };
  const { appliance, page } = await visit(phone, true);
  await using _appliance = appliance;
  await page.locator(live).waitFor(patient);
  await page.locator(still).waitFor({ state: 'hidden', ...patient });
  const before = await asked(page);
  await page.locator('[data-feed="cam0"] .tile-link').click();
  await expect.poll(() => asked(page), patient).toBeGreaterThan(before + 3);
  expect(await page.locator(still).isHidden()).toBe(true);
  await race(page, true);
  await page.locator(`${still}[data-held="still"]`).waitFor(patient);
  const kept = await stillPicture(page);
  await moreFrames(page);
  expect(await stillPicture(page)).toBe(kept);
  await race(page, false);
  await page.locator(still).waitFor({ state: 'hidden', ...patient });
  await page.context().close();
}, 120_000);

const browsers: Readonly<Record<string, () => void>> = {
  'no times of pictures': () => {
    const { requestVideoFrameCallback } = HTMLVideoElement.prototype;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
      return requestVideoFrameCallback.call(this, (atMs, { rtpTimestamp: _, ...others }) =>
        callback(atMs, others),
      );
    };
  },
  'no pictures': () => {
    HTMLVideoElement.prototype.requestVideoFrameCallback = () => 1;
  },
  'no such thing': () => {
    Reflect.deleteProperty(HTMLVideoElement.prototype, 'requestVideoFrameCallback');
  },
};

for (const [lack, prepare] of Object.entries(browsers)) {
  test(`a browser that reports ${lack} shows the video as it comes`, async () => {
    const { appliance, page } = await visit((visited) => visited.addInitScript(prepare));
    await using _appliance = appliance;
    await page.locator(live).waitFor(patient);
    await page.locator(still).waitFor({ state: 'hidden', ...patient });
    await moreFrames(page);
    await page.context().close();
  }, 120_000);
}
