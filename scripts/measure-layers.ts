/**
 * What a grid of feeds costs a phone, and how soon the large view is sharp: `node scripts/measure-layers.ts [feeds] [fps] [rounds] [gop]`.
 * Runs a whole hub, cameras that publish both layers of 720p, encoded beforehand, and opens its page in Chromium. Prints figures;
 * judges nothing.
 */
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Feed } from '../supervisor/contract/index.ts';
import { root, startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';
import { openEncodedCameras } from './testing/encoded-cameras.ts';

const count = Number(process.argv[2] ?? 9);
const fps = Number(process.argv[3] ?? 30);
const rounds = Number(process.argv[4] ?? 20);
/** Seconds from one keyframe to the next. */
const keyframeIntervalS = Number(process.argv[5] ?? 1);
const lookMs = 10_000;

interface Tools {
  peers: RTCPeerConnection[];
  requests: { url: string; askedMs: number; answeredMs: number | null }[];
}

/** Keeps hold of the page's connections, to read their counters, and notes when it asks for what. */
const keepPeers = () => {
  const peers: RTCPeerConnection[] = [];
  const requests: Tools['requests'] = [];
  const { fetch } = globalThis;
  const noted: typeof fetch = async (input, init) => {
    const request: Tools['requests'][number] = {
      url: String(input),
      askedMs: performance.now(),
      answeredMs: null,
    };
    requests.push(request);
    const response = await fetch(input, init);
    request.answeredMs = performance.now();
    return response;
  };
  const Original = globalThis.RTCPeerConnection;
  class Kept extends Original {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      peers.push(this);
    }
  }
  Object.assign(globalThis, { peers, requests, fetch: noted, RTCPeerConnection: Kept });
};

/** Octets that came in over all connections, with everything above UDP. */
const octetsOf = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const reports = await Promise.all(
      (globalThis as unknown as Tools).peers.map(async (peer) =>
        peer.connectionState === 'closed' ? [] : [...(await peer.getStats()).values()],
      ),
    );
    const transports = reports.flat().filter(({ type }) => type === 'transport');
    return transports.reduce((sum, { bytesReceived }) => sum + Number(bytesReceived), 0);
  });

const rateOf = async (page: Page): Promise<number> => {
  const [before, beganMs] = [await octetsOf(page), performance.now()];
  await sleep(lookMs);
  return ((await octetsOf(page)) - before) / 125 / (performance.now() - beganMs);
};

/** A change of layer, in milliseconds from the click on. */
interface Switch {
  /** The page asked for the layer, and had the hub's answer; null if it does not have that yet. */
  readonly askedMs: number | null;
  readonly answeredMs: number | null;
  /** The last packet of the first frame that was shown of the other layer; null if the browser does not report it. */
  readonly receivedMs: number | null;
  /** That frame in the video. */
  readonly shownMs: number;
  /** The video on the screen, without a still above it. */
  readonly seenMs: number;
}

/** Clicks on what matches, and waits until the feed is this wide. */
const timeTo = (page: Page, feed: string, selector: string, width: number): Promise<Switch> =>
  page.evaluate(
    ([id, target, wanted]) =>
      new Promise<Switch>((resolve, reject) => {
        const video = document.querySelector<HTMLVideoElement>(`[data-feed="${id}"] video`);
        const link = document.querySelector<HTMLElement>(target);
        if (video === null || link === null) return reject(new Error(`nothing matches ${target}`));
        const late = setTimeout(() => reject(new Error(`no frame of ${wanted} pixels came`)), 20_000);
        const { requests } = globalThis as unknown as Tools;
        requests.length = 0;
        const beganMs = performance.now();
        const look = (nowMs: number, frame: VideoFrameCallbackMetadata) => {
          if (frame.width !== wanted) return void video.requestVideoFrameCallback(look);
          clearTimeout(late);
          const asked = requests.find(({ url }) => url.includes(`/whep/${id}/`));
          const shownMs = Math.max(nowMs, frame.expectedDisplayTime) - beganMs;
          const see = (atMs: number) => {
            if (document.querySelector(`[data-feed="${id}"] .still:not([hidden])`) !== null)
              return void requestAnimationFrame(see);
            resolve({
              askedMs: asked === undefined ? null : asked.askedMs - beganMs,
              answeredMs: asked?.answeredMs == null ? null : asked.answeredMs - beganMs,
              receivedMs: frame.receiveTime === undefined ? null : frame.receiveTime - beganMs,
              shownMs,
              seenMs: Math.max(shownMs, atMs - beganMs),
            });
          };
          requestAnimationFrame(see);
        };
        video.requestVideoFrameCallback(look);
        link.click();
      }),
    [feed, selector, width] as const,
  );

const at = (times: readonly number[], share: number): number => {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN);
};

const summary = (switches: readonly Switch[]): string =>
  (['askedMs', 'answeredMs', 'receivedMs', 'shownMs', 'seenMs'] as const)
    .map((name) => {
      const times = switches.flatMap((one) => one[name] ?? []);
      return `${name.slice(0, -2)} p50 ${at(times, 0.5)} ms, p95 ${at(times, 0.95)} ms, max ${at(times, 1)} ms`;
    })
    .join('; ');

const ids = Array.from({ length: count }, (_, n) => `cam${n}`);
// Not in simulation: there nobody has a key, and a small layer belongs to the key that publishes the full one.
await using appliance = await startAppliance({
  config: 'role = "hub"\n\n[http]\nlisten = ["127.0.0.1"]\ntls = false\nauth = "required"\n',
  command: [process.execPath, join(root, 'supervisor', 'main.ts')],
});
const ownerToken = () => readFile(join(appliance.data, 'owner-token'), 'utf8');
const token = (await appliance.until('the owner has a token', ownerToken, 120_000)).trim();
await using browser = await openBrowser();
await browser.addCookies([{ name: 'rushlight_session', value: token, url: appliance.url }]);
await browser.addInitScript(keepPeers);
const feeds = async (): Promise<Feed[]> => {
  const answer = await browser.request.get(`${appliance.url}/api/feeds`);
  return await answer.json();
};
await appliance.until('the hub answers', feeds);
await using _cameras = await openEncodedCameras(appliance.url, token, ids, {
  fps,
  seconds: 20,
  keyframeIntervalS,
});
const online = async () => (await feeds()).filter(({ layers }) => layers.length === 2).length === count;
await appliance.until('all feeds have both layers', online, 60_000);
const page = await browser.newPage();
await page.setViewportSize({ width: 390, height: 844 });
await page.goto(appliance.url);
for (const id of ids)
  await page.locator(`[data-feed="${id}"][data-layer="low"]`).waitFor({ timeout: 60_000 });
await sleep(3000);
console.log(`${count} feeds of 720p at ${fps} fps, a page of 390x844`);
console.log(`grid: ${(await rateOf(page)).toFixed(2)} Mbit/s`);
const [up, down]: [Switch[], Switch[]] = [[], []];
for (let round = 0; round < rounds; round++) {
  const id = ids[round % count] ?? '';
  up.push(await timeTo(page, id, `[data-feed="${id}"] .tile-link`, 1280));
  await sleep(2000 + 77 * (round % 13));
  if (round === 0) console.log(`one large, the others hidden: ${(await rateOf(page)).toFixed(2)} Mbit/s`);
  down.push(await timeTo(page, id, '[data-testid="back"]', 640));
  await sleep(2000 + 53 * (round % 13));
}
console.log(`from the grid to the large view, first sharp frame of ${rounds}: ${summary(up)}`);
console.log(`back to the grid, first small frame of ${rounds}: ${summary(down)}`);
const sent = (await feeds()).map(({ layers }) => layers.map(({ bitrateKbps }) => bitrateKbps).join('/'));
console.log(`sent: ${sent.join(' ')} kbit/s; load average ${loadavg().map((load) => load.toFixed(1))}`);
