import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { FakeAppliance } from '../../testing/appliance.fake.ts';
import { picture, usePages } from '../../testing/browser.ts';
import { feedFixture, statusFixture } from '../../testing/fixture.ts';
import { Publisher } from '../../testing/publisher.ts';

const pages = usePages();

const live = '[data-feed="cam0"][data-state="live"]';
const notice = '[data-testid="pictures-instead"]';

/** A page whose browser lacks what `prepare` takes from it; the appliance has pictures of every feed. */
const visit = async (prepare: (() => void) | null) => {
  const appliance = new FakeAppliance(pages.folder);
  const feeds = [feedFixture({ audioCodec: 'opus' }), feedFixture({ id: 'cam1', label: 'Second' })];
  appliance.status = statusFixture({ feeds });
  const page = await (await pages.browser.newContext()).newPage();
  await page.setContent('<body style="background: teal">');
  appliance.picture = await page.screenshot({ type: 'jpeg' });
  if (prepare !== null) await page.addInitScript(prepare);
  const url = await appliance.listen();
  return { appliance, page, url };
};

const pictureWidth = (page: Page): Promise<number> =>
  page.evaluate(
    () => document.querySelector<HTMLImageElement>('[data-feed="cam0"] .pictures')?.naturalWidth ?? 0,
  );

const noWebRtc = () => Object.assign(globalThis, { RTCPeerConnection: undefined });

/** As Firefox before its decoder has been downloaded; `decoderArrives` ends that. */
const noH264 = () => {
  const native = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver);
  let arrived = false;
  RTCRtpReceiver.getCapabilities = (kind) => {
    const all = native(kind);
    if (arrived || all === null) return all;
    return { ...all, codecs: all.codecs.filter(({ mimeType }) => !/h264/i.test(mimeType)) };
  };
  const decoderArrives = () => {
    arrived = true;
  };
  Object.assign(globalThis, { decoderArrives });
};

test('a browser without WebRTC shows pictures, says why, and asks for no session', async () => {
  const { appliance, page, url } = await visit(noWebRtc);
  await using _appliance = appliance;
  await page.goto(url);
  await page.locator(live).waitFor({ timeout: 30_000 });
  await expect.poll(() => pictureWidth(page)).toBeGreaterThan(0);
  expect(await page.locator('[data-feed="cam0"] .state-badge').textContent()).toBe('Live · pictures');
  expect(await page.locator(notice).textContent()).toContain('no WebRTC');
  expect(await page.getByLabel('Listen to Test picture').count()).toBe(0);
  await page.screenshot({ path: picture('fallback') });
  await page.locator(notice).getByRole('button').click();
  await page.locator(notice).waitFor({ state: 'hidden' });
  await page.locator('[data-feed="cam0"] .tile-link').click();
  expect(await page.locator('[data-testid="details"]').textContent()).toContain('JPEG pictures');
  // A feed that is not seen costs the appliance no decoder.
  await expect.poll(() => appliance.pictureViewers).toBe(1);
  expect(appliance.count('POST', /^\/whep\//)).toBe(0);
  await page.context().close();
}, 60_000);

test('a browser without H.264 shows pictures, and switches to video once its decoder is there', async () => {
  const { appliance, page, url } = await visit(noH264);
  await using _appliance = appliance;
  const publisher = await Publisher.open(pages.browser);
  appliance.answerOffer = (feed, offer) => publisher.answer(feed, offer);
  await page.goto(url);
  await page.locator(live).waitFor({ timeout: 30_000 });
  await expect.poll(() => pictureWidth(page)).toBeGreaterThan(0);
  expect(await page.locator(notice).textContent()).toContain('H.264');
  expect(appliance.count('POST', /^\/whep\//)).toBe(0);
  await page.evaluate(() => (globalThis as unknown as { decoderArrives(): void }).decoderArrives());
  await page.locator('[data-feed="cam0"] .pictures').waitFor({ state: 'detached', timeout: 40_000 });
  await page.locator(live).waitFor({ timeout: 30_000 });
  await page.locator(notice).waitFor({ state: 'hidden', timeout: 30_000 });
  expect(await page.getByLabel('Listen to Test picture').count()).toBe(1);
  await expect.poll(() => appliance.pictureViewers).toBe(0);
  await page.context().close();
}, 120_000);

test('shows pictures if no packet gets through, and leaves no session behind', async () => {
  const { appliance, page, url } = await visit(null);
  await using _appliance = appliance;
  const publisher = await Publisher.open(pages.browser);
  appliance.answerOffer = async (feed, offer) => {
    const answer = await publisher.answer(feed, offer);
    // As if a firewall took every packet to the address that was offered.
    const body = answer.body?.replaceAll(/^a=candidate.*\r\n/gm, '');
    return { ...answer, ...(body === undefined ? {} : { body }) };
  };
  await page.goto(url);
  await page.locator(live).waitFor({ timeout: 60_000 });
  await expect.poll(() => pictureWidth(page)).toBeGreaterThan(0);
  expect(await page.locator(notice).textContent()).toContain('may block UDP');
  await expect.poll(() => appliance.count('DELETE', /^\/whep\//), { timeout: 30_000 }).toBeGreaterThan(0);
  await page.context().close();
}, 120_000);

test('asks for pictures if an appliance rejects the offer for lack of H.264', async () => {
  const { appliance, page, url } = await visit(null);
  await using _appliance = appliance;
  const body = JSON.stringify({
    type: 'about:blank',
    title: 'No H.264',
    status: 422,
    code: 'CODEC_UNSUPPORTED',
  });
  appliance.answerOffer = async () => ({ status: 422, body });
  await page.goto(url);
  await page.locator(live).waitFor({ timeout: 30_000 });
  expect(await page.locator(notice).textContent()).toContain('cannot play H.264');
  await page.context().close();
}, 60_000);

test('if pictures do not arrive either, the tile gives both reasons', async () => {
  const { appliance, page, url } = await visit(noWebRtc);
  await using _appliance = appliance;
  appliance.picture = null;
  await page.goto(url);
  await page.locator('[data-feed="cam0"][data-state="reconnecting"]').waitFor({ timeout: 30_000 });
  expect(await page.locator('[data-feed="cam0"] .cover-reason').textContent()).toMatch(
    /no WebRTC.*Pictures do not arrive either/,
  );
  await page.context().close();
}, 60_000);
