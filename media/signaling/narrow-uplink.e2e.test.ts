import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NarrowWay } from '../sfu/narrow-way.fake.ts';
import { eventually, openMediaRig } from './media-rig.fake.ts';

const publishedS = Number(process.env.NARROW_TEST_S ?? 10);
/** Its picture would fill more than this. */
const uplink = { bitsPerSecond: 1_500_000, queueMs: 300, delayMs: 10 };

describe('Chromium that publishes over a narrow uplink', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--allow-loopback-in-peer-connection'],
    });
  });
  afterAll(() => browser.close());

  it('finds its bit rate from the arrival times that it gets, before much is lost', async () => {
    await using rig = await openMediaRig();
    const [server] = rig.service.status().bound;
    if (server === undefined) throw new Error('not bound');
    using way = await NarrowWay.open(server, uplink);
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${rig.url}/page`);
    await page.evaluate(`globalThis.way = ${way.entry.port}`);
    await page.evaluate(`publishNoise('${rig.url}/whip/cam0')`);
    await eventually(() => rig.service.feeds.get('cam0')?.ready ?? false, 'the feed is ready');
    let [octets, carried, lost, waited] = [0, 0, 0, 0];
    for (let second = 1; second <= publishedS; second++) {
      await sleep(1000);
      const waits = way.waitedMs.slice(waited).toSorted((a, b) => a - b);
      const figures = [
        `${second} s: ${Math.round(((way.octets - octets) * 8) / 1000)} kbit/s`,
        `${way.lost - lost} of ${way.lost - lost + way.carried - carried} lost`,
        `waited ${Math.round(waits[waits.length >> 1] ?? 0)}, at most ${Math.round(waits.at(-1) ?? 0)} ms`,
      ];
      process.stdout.write(`${figures.join(', ')}\n`);
      [octets, carried, lost, waited] = [way.octets, way.carried, way.lost, way.waitedMs.length];
    }
    expect(carried).toBeGreaterThan(publishedS * 20);
    // With the receiver's limit alone a third of the first 5 s is lost.
    expect(lost / (lost + carried)).toBeLessThan(0.1);
  });
});
