import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPlaneRig } from '../sfu/plane-rig.fake.ts';
import { HttpHarness } from './http-harness.fake.ts';
import { eventually } from './media-rig.fake.ts';

describe.each(['native', 'JavaScript'] as const)(
  'Layers that a browser sends, on the %s media plane',
  (kind) => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: [
          '--no-sandbox',
          '--allow-loopback-in-peer-connection',
          '--use-fake-device-for-media-stream',
          '--use-fake-ui-for-media-stream',
        ],
      });
    });
    afterAll(() => browser.close());

    it.each([
      ['the largest first', [1, 2, 4]],
      ['the smallest first', [4, 2, 1]],
    ])(
      'become those of the feed, with %s',
      async (_name, factors) => {
        await using rig = await openPlaneRig(kind, { ingest: false });
        await using harness = new HttpHarness(rig.service);
        const url = await harness.open();
        const page = await browser.newPage();
        await page.goto(`${url}/page`);
        await page.evaluate(`publishLayers('${url}/whip/phone', ${JSON.stringify(factors)})`);
        const layers = () => rig.service.feeds.get('phone')?.layers ?? [];
        await eventually(
          () => layers().length === 2 && (layers()[0]?.width ?? 0) > (layers()[1]?.width ?? 0),
          'both layers come',
          60_000,
        );
        // A browser starts small where the machine is busy; what counts is how the two compare.
        const [high, low] = layers();
        expect((high?.width ?? 0) / (low?.width ?? 1)).toBeCloseTo(4, 0);
        const before = rig.service.feeds.get('phone')?.video.frames ?? 0;
        await eventually(
          () => (rig.service.feeds.get('phone')?.video.frames ?? 0) > before + 20,
          'the full one goes on',
          30_000,
        );
        expect(layers().map(({ layer }) => layer)).toEqual(['high', 'low']);
        await page.close();
      },
      120_000,
    );
  },
);
