import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freeRtpPort, openMediaRig } from './media-rig.fake.ts';
import { startLiveSource } from './recording.fake.ts';

/** What a page's peer connection says about its video. */
interface VideoStats {
  framesDecoded: number;
  frameWidth: number;
  audioPackets: number;
}

describe('Chromium', () => {
  let browsers: Browser[] = [];

  beforeAll(async () => {
    const launch = () =>
      chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: [
          '--no-sandbox',
          '--allow-loopback-in-peer-connection',
          '--use-fake-device-for-media-stream',
          '--use-fake-ui-for-media-stream',
          '--autoplay-policy=no-user-gesture-required',
        ],
      });
    browsers = await Promise.all([launch(), launch()]);
  });
  afterAll(async () => {
    for (const browser of browsers) await browser.close();
  });

  it('publishes by WHIP, and a second Chromium views it by WHEP, with sound', async () => {
    await using rig = await openMediaRig();
    const [first, second] = browsers as [Browser, Browser];
    const publisher = await openPage(first, rig.url);
    await publisher.evaluate(`publish('${rig.url}/whip/browser')`);
    await eventually(() => rig.service.feeds.get('browser')?.ready ?? false, 'the feed is ready');
    const viewer = await openPage(second, rig.url);
    await viewer.evaluate(`view('${rig.url}/whep/browser')`);
    await eventually(async () => (await statsOf(viewer)).framesDecoded > 0, 'a first frame is decoded');
    const before = await statsOf(viewer);
    await eventually(
      async () => (await statsOf(viewer)).framesDecoded > before.framesDecoded + 40,
      'frames advance',
      40_000,
    );
    const after = await statsOf(viewer);
    expect(after.frameWidth).toBeGreaterThan(0);
    expect(after.audioPackets).toBeGreaterThan(20);
    const [feed] = rig.service.feeds.stats(performance.now());
    expect(feed?.codec).toMatch(/^avc1\./);
    expect(feed?.viewers[0]?.lossRatio).not.toBeNull();
    await publisher.close();
    await viewer.close();
  });

  it('views a local pipeline from the cached keyframe on, and continues when the pipeline restarts', async () => {
    const rtpPort = await freeRtpPort();
    await using rig = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    let ffmpeg = startLiveSource(rtpPort);
    try {
      await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
      const viewer = await openPage(browsers[0] as Browser, rig.url);
      await viewer.evaluate(`view('${rig.url}/whep/cam0')`);
      await eventually(async () => (await statsOf(viewer)).framesDecoded > 60, 'frames are decoded');
      ffmpeg.kill('SIGKILL');
      await eventually(() => rig.service.feeds.get('cam0')?.state === 'stalled', 'the feed stalls');
      const before = await statsOf(viewer);
      ffmpeg = startLiveSource(rtpPort);
      await eventually(
        async () => (await statsOf(viewer)).framesDecoded > before.framesDecoded + 60,
        'frames go on',
      );
      const sessions = rig.events.filter((event) => event.event === 'session-opened');
      expect(sessions).toHaveLength(1);
      expect(rig.events.filter((event) => event.event === 'session-closed')).toHaveLength(0);
      expect(rig.events.filter((event) => event.event === 'feed').map((event) => event.state)).toEqual([
        'online',
        'stalled',
        'online',
      ]);
      await viewer.close();
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });
});

async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${url}/page`);
  return page;
}

function statsOf(page: Page): Promise<VideoStats> {
  return page.evaluate('statsOf()');
}
