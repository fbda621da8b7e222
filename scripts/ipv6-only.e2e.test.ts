import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Feed } from '../supervisor/contract/index.ts';
import { netnsObstacle, TestLan } from '../supervisor/testing/netns.ts';
import { openBrowser } from './testing/browser.ts';
import { apiPort, Machine } from './testing/machine.ts';

const obstacle = await netnsObstacle();
const hubAddress = 'fd77::1';
const settings = `role = "hub"
name = "stage"
[http]
listen = ["::"]
port = ${apiPort}
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

/**
 * Chromium on Linux hides its addresses behind names (mDNS), and its name service finds no IPv6 socket: without any IPv4 address it
 * never finishes a candidate, and so tries none (seen with 156).
 */
const showAddresses = '--disable-features=WebRtcHideLocalIpsWithMdns';

/** By which address the page's picture comes; null before it does. */
const wayOf = (page: Page): Promise<string | null> =>
  page.evaluate(async () => {
    for (const peer of (globalThis as unknown as { peers: RTCPeerConnection[] }).peers) {
      const stats = await peer.getStats();
      for (const report of stats.values()) {
        if (report.type !== 'transport' || !report.selectedCandidatePairId) continue;
        const pair = stats.get(report.selectedCandidatePairId);
        return String(stats.get(pair.remoteCandidateId).address);
      }
    }
    return null;
  });

const keepPeers = () => {
  const peers: RTCPeerConnection[] = [];
  class Kept extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      peers.push(this);
    }
  }
  Object.assign(globalThis, { peers, RTCPeerConnection: Kept });
};

describe.skipIf(obstacle !== null)(
  `a hub without IPv4 addresses${obstacle === null ? '' : ` (skipped: ${obstacle})`}`,
  () => {
    test.each([
      ['that has no IPv4 either, and shows its addresses', [], [showAddresses], 'video'],
      ['that has IPv4 as well', ['10.77.0.3/24'], [], 'video'],
      ['that has no IPv4 either, and hides its addresses', [], [], 'pictures'],
    ] as const)(
      'its page at https://[address] works in a browser %s',
      async (_name, more, flags, shown) => {
        await using lan = await new TestLan().open();
        const host = await lan.addHost('hub', `${hubAddress}/64`);
        await using hub = await new Machine(host).boot(settings);
        const there = async () =>
          (await hub.ask<Feed[]>('GET', '/api/feeds')).find(({ id }) => id === 'cam0')?.state === 'online';
        await hub.until('the feed is online', there, 90_000);
        const token = await hub.ownerToken();
        const guest = await lan.addHost('guest', 'fd77::3/64');
        for (const address of more) await guest.addAddress(address);
        await using browser = await openBrowser(['--ignore-certificate-errors', ...flags], guest.namespace);
        await browser.addInitScript(keepPeers);
        const page = await browser.newPage();
        await page.goto(`https://[${hubAddress}]/#token=${token}`);
        const tile = page.locator('[data-feed="cam0"][data-state="live"]');
        await tile.waitFor({ timeout: 60_000 });
        if (shown === 'pictures') {
          await expect.poll(() => tile.textContent(), { timeout: 20_000 }).toContain('pictures');
          return;
        }
        await expect.poll(() => wayOf(page), { timeout: 20_000 }).toBe(hubAddress);
        const frames = () =>
          page.evaluate(
            () => document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
          );
        await expect.poll(frames, { timeout: 20_000 }).toBeGreaterThan(50);
      },
      240_000,
    );
  },
);
