import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { FakeAppliance } from '../../testing/appliance.fake.ts';
import { picture, usePages } from '../../testing/browser.ts';
import { feedFixture, statusFixture } from '../../testing/fixture.ts';
import { Publisher } from '../../testing/publisher.ts';

const pages = usePages();

const live = '[data-feed="cam0"][data-state="live"]';

const viewing = async (): Promise<{
  appliance: FakeAppliance;
  publisher: Publisher;
  page: Page;
  url: string;
}> => {
  const appliance = new FakeAppliance(pages.folder);
  const publisher = await Publisher.open(pages.browser);
  appliance.answerOffer = (feed, offer) => publisher.answer(feed, offer);
  const url = await appliance.listen();
  const page = await (await pages.browser.newContext()).newPage();
  await page.goto(url);
  return { appliance, publisher, page, url };
};

const framesShown = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const video = document.querySelector<HTMLVideoElement>('[data-feed="cam0"] video');
    return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
  });

const atLeastFrames = (page: Page, frames: number) =>
  expect.poll(() => framesShown(page), { timeout: 30_000 }).toBeGreaterThan(frames);

test('a feed plays and continues without a new session through single view, takes and back', async () => {
  const { appliance, page } = await viewing();
  await using _appliance = appliance;
  await page.locator(live).waitFor({ timeout: 30_000 });
  await atLeastFrames(page, 10);
  await page.screenshot({ path: picture('live-grid') });
  await page.locator('[data-feed="cam0"] .tile-link').click();
  await page.locator('[data-testid="single"] video').waitFor();
  expect(new URL(page.url()).hash).toBe('#/feed/cam0');
  await atLeastFrames(page, (await framesShown(page)) + 10);
  await expect.poll(() => page.locator('[data-testid="details"]').textContent()).toContain('640×360');
  await page.screenshot({ path: picture('live-single') });
  await page.locator('.tab', { hasText: 'Takes' }).click();
  await page.locator('[data-testid="takes"]').waitFor();
  await page.goBack();
  await page.locator('[data-testid="single"] video').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('[data-testid="tile"][data-feed="cam0"]').waitFor();
  await atLeastFrames(page, (await framesShown(page)) + 10);
  expect(appliance.count('POST', /^\/whep\//)).toBe(1);
  await page.context().close();
}, 120_000);

test('the offer prefers H.264, only receives and has no server', async () => {
  const appliance = new FakeAppliance(pages.folder);
  await using _appliance = appliance;
  const offered = Promise.withResolvers<string>();
  appliance.answerOffer = async (_feed, offer) => {
    offered.resolve(offer);
    return { status: 409, headers: { 'retry-after': '60' } };
  };
  const page = await pages.browser.newPage();
  await page.goto(await appliance.listen());
  const offer = await offered.promise;
  const first = /m=video \S+ \S+ (\d+)/.exec(offer)?.[1];
  expect(offer).toContain(`a=rtpmap:${first} H264/90000`);
  expect(offer.match(/a=recvonly/g)).toHaveLength(2);
  expect(offer).not.toContain('a=sendrecv');
  await page.close();
}, 60_000);

test('asks a server without a publisher again when it said', async () => {
  const { appliance, publisher, page } = await viewing();
  await using _appliance = appliance;
  await page.locator(live).waitFor({ timeout: 30_000 });
  let refusals = 0;
  appliance.answerOffer = async (feed, offer) => {
    refusals += 1;
    if (refusals > 1) return publisher.answer(feed, offer);
    return { status: 409, headers: { 'retry-after': '1' } };
  };
  await page.reload();
  await page.locator('[data-feed="cam0"][data-state="reconnecting"]').waitFor({ timeout: 30_000 });
  expect(await page.locator('[data-feed="cam0"] .cover-reason').textContent()).toBe(
    'Nobody publishes this feed yet.',
  );
  await page.locator(live).waitFor({ timeout: 30_000 });
  expect(refusals).toBe(2);
  await page.context().close();
}, 120_000);

test('replaces a session whose frames stop, and ends the old one on the server', async () => {
  const { appliance, publisher, page } = await viewing();
  await using _appliance = appliance;
  await page.locator(live).waitFor({ timeout: 30_000 });
  await publisher.endPeers();
  await expect.poll(() => appliance.count('POST', /^\/whep\/cam0$/), { timeout: 30_000 }).toBe(2);
  await expect.poll(() => appliance.count('DELETE', /session-1$/), { timeout: 10_000 }).toBe(1);
  await page.locator(live).waitFor({ timeout: 30_000 });
  await page.context().close();
}, 120_000);

test('a feed that the appliance reports as stalled keeps its session', async () => {
  const { appliance, publisher, page } = await viewing();
  await using _appliance = appliance;
  await page.locator(live).waitFor({ timeout: 30_000 });
  await publisher.freeze();
  appliance.update({ feeds: [feedFixture({ state: 'stalled' })] });
  await page.locator('[data-feed="cam0"][data-state="stalled"]').waitFor({ timeout: 30_000 });
  // Longer than the player waits for frames of a feed that is online.
  await page.waitForTimeout(5000);
  expect(appliance.count('POST', /^\/whep\//)).toBe(1);
  await page.context().close();
}, 120_000);

test('a feed that the appliance loses and finds again keeps its tile and plays again', async () => {
  const { appliance, publisher, page } = await viewing();
  await using _appliance = appliance;
  await page.locator(live).waitFor({ timeout: 30_000 });
  await publisher.endPeers();
  appliance.update({ feeds: [] });
  await page.locator('[data-feed="cam0"][data-state="offline"]').waitFor({ timeout: 10_000 });
  appliance.update({ feeds: [feedFixture()] });
  await page.locator(live).waitFor({ timeout: 30_000 });
  await atLeastFrames(page, (await framesShown(page)) + 10);
  await page.context().close();
}, 120_000);

/** Keeps a list of the page's peer connections, so that a test can tell whether they were freed. */
const keepPeers = () => {
  const peers: RTCPeerConnection[] = [];
  const Native = RTCPeerConnection;
  class Kept extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      peers.push(this);
    }
  }
  Object.assign(globalThis, { RTCPeerConnection: Kept, peers });
};

const peerStates = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    (globalThis as unknown as { peers: RTCPeerConnection[] }).peers.map((peer) => peer.connectionState),
  );

test('a feed that is gone and a page that is left free their sessions here and on the server', async () => {
  const { appliance, page } = await viewing();
  await using _appliance = appliance;
  await page.addInitScript(keepPeers);
  await page.reload();
  await page.locator(live).waitFor({ timeout: 30_000 });
  expect(await peerStates(page)).toEqual(['connected']);
  const ended = (session: number) => () => appliance.count('DELETE', new RegExp(`/session-${session}$`));
  const first = appliance.count('POST', /^\/whep\//);
  const { sources } = appliance.status;
  appliance.update({ feeds: [], sources: [] });
  await expect.poll(ended(first), { timeout: 10_000 }).toBe(1);
  await page.locator('[data-testid="empty"]').waitFor();
  expect(await peerStates(page)).toEqual(['closed']);
  appliance.update({ feeds: [feedFixture()], sources });
  await page.locator(live).waitFor({ timeout: 30_000 });
  await page.goto('about:blank');
  await expect.poll(ended(first + 1), { timeout: 10_000 }).toBe(1);
  await page.goBack();
  await page.locator(live).waitFor({ timeout: 30_000 });
  await page.context().close();
}, 120_000);

test('sound is off until requested, and only on for one feed at a time', async () => {
  const appliance = new FakeAppliance(pages.folder);
  await using _appliance = appliance;
  const heard = { audioCodec: 'opus' };
  appliance.status = statusFixture({
    feeds: [feedFixture(heard), feedFixture({ ...heard, id: 'cam1', label: 'Second' })],
  });
  const page = await pages.browser.newPage();
  await page.goto(await appliance.listen());
  const muted = () =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLVideoElement>('[data-feed] video')].map((video) => video.muted),
    );
  await page.locator('[data-feed="cam1"]').waitFor();
  expect(await muted()).toEqual([true, true]);
  await page.getByLabel('Listen to Test picture').click();
  await expect.poll(muted).toEqual([false, true]);
  await page.getByLabel('Listen to Second').click();
  await expect.poll(muted).toEqual([true, false]);
  await page.getByLabel('Mute Second').click();
  await expect.poll(muted).toEqual([true, true]);
  await page.close();
}, 60_000);

test('the full layer is asked for at the click, not after the large view is painted', async () => {
  const appliance = new FakeAppliance(pages.folder);
  await using _appliance = appliance;
  const publisher = await Publisher.open(pages.browser);
  const link = '</whep/cam0/1/layer>; rel="urn:ietf:params:whep:ext:core:layer"';
  appliance.answerOffer = async (feed, offer) => {
    const answer = await publisher.answer(feed, offer);
    return { ...answer, headers: { ...answer.headers, link } };
  };
  const page = await (await pages.browser.newContext()).newPage();
  await page.addInitScript(() => {
    const { fetch } = globalThis;
    const asked: string[] = [];
    const noted: typeof fetch = async (input, init) => {
      if (!String(input).endsWith('/layer')) return await fetch(input, init);
      asked.push(String(init?.body));
      return new Response('{}');
    };
    Object.assign(globalThis, { asked, fetch: noted });
  });
  await page.goto(await appliance.listen());
  await page.locator(live).waitFor({ timeout: 30_000 });
  const asked = await page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        // After the page's own listener, in the same task.
        addEventListener('hashchange', () =>
          resolve([...(globalThis as unknown as { asked: string[] }).asked]),
        );
        document.querySelector<HTMLElement>('[data-feed="cam0"] .tile-link')?.click();
      }),
  );
  expect(asked.map((body) => JSON.parse(body).rid)).toEqual(['low', 'high']);
  await page.context().close();
}, 60_000);
