import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LossyWay } from '../sfu/lossy-way.fake.ts';
import { eventually, freeRtpPort, openMediaRig } from './media-rig.fake.ts';
import { startLiveSource } from './recording.fake.ts';

const watchedMs = Number(process.env.LOSS_TEST_MS ?? 15_000);

/** The same losses in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('Chromium that loses 3 % of its packets', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--allow-loopback-in-peer-connection',
        '--autoplay-policy=no-user-gesture-required',
      ],
    });
  });
  afterAll(() => browser.close());

  it('knows its round trip, and so asks again in time for what was lost with its repetition', async () => {
    const rtpPort = await freeRtpPort();
    await using rig = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    const ffmpeg = startLiveSource(rtpPort, { bitrate: '4M', gop: 60 });
    try {
      await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
      const [server] = rig.service.status().bound;
      if (server === undefined) throw new Error('not bound');
      const random = seeded(15);
      using way = await LossyWay.open(server, () => random() < 0.03);
      const [lossy, other] = await Promise.all([
        watch(browser, rig.url, way.entry.port),
        watch(browser, rig.url, null),
      ]);
      const [ofLossy, ofOther] = await Promise.all([longestFreeze(lossy), longestFreeze(other)]);
      expect(way.lost).toBeGreaterThan(watchedMs / 500);
      const roundTrips = await roundTripsOf(lossy);
      const figures = `longest freeze ${ofLossy} ms, of the other ${ofOther} ms, ${roundTrips} round trips measured`;
      process.stdout.write(`${way.lost} lost: ${figures}\n`);
      // Then it asks again for what is lost together with its repetition after that long, instead of 100 ms.
      expect(roundTrips).toBeGreaterThan(0);
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });
});

async function watch(browser: Browser, url: string, way: number | null): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${url}/page`);
  await page.evaluate(`globalThis.way = ${way}`);
  await page.evaluate(`view('${url}/whep/cam0')`);
  const decoded = () => page.evaluate('statsOf()') as Promise<{ framesDecoded: number }>;
  await eventually(async () => (await decoded()).framesDecoded > 60, 'it plays');
  return page;
}

function roundTripsOf(page: Page): Promise<number> {
  return page.evaluate('roundTripsOf()');
}

function longestFreeze(page: Page): Promise<number> {
  return page.evaluate(`longestFreeze(${watchedMs})`);
}
