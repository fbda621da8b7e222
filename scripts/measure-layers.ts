/**
 * What a grid of feeds costs a phone, and how soon the large view is sharp: `node scripts/measure-layers.ts [feeds] [fps]`. Runs a
 * whole appliance with test sources of 720p and opens its page in Chromium. Prints figures; judges nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Feed } from '../supervisor/contract/index.ts';
import { startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';

const count = Number(process.argv[2] ?? 9);
const fps = Number(process.argv[3] ?? 30);
const rounds = 12;
const lookMs = 10_000;

interface Tools {
  peers: RTCPeerConnection[];
}

/** Keeps hold of the page's connections, to read their counters. */
const keepPeers = () => {
  const peers: RTCPeerConnection[] = [];
  const Original = globalThis.RTCPeerConnection;
  class Kept extends Original {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      peers.push(this);
    }
  }
  Object.assign(globalThis, { peers, RTCPeerConnection: Kept });
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

interface Switch {
  /** To the first frame of the other layer, as the browser presents it. */
  readonly shownMs: number;
  /** Until the appliance had answered that it changes the layer; null if the browser does not tell. */
  readonly answeredMs: number | null;
}

/** Milliseconds from `hash` on, until the feed is this wide. */
const timeTo = (page: Page, feed: string, hash: string, width: number): Promise<Switch> =>
  page.evaluate(
    ([id, to, wanted]) =>
      new Promise<Switch>((resolve, reject) => {
        const video = document.querySelector<HTMLVideoElement>(`[data-feed="${id}"] video`);
        const beganMs = performance.now();
        const late = setTimeout(() => reject(new Error(`no frame of ${wanted} pixels came`)), 20_000);
        const look = (nowMs: number, frame: { width: number }) => {
          if (frame.width !== Number(wanted)) return void video?.requestVideoFrameCallback(look);
          clearTimeout(late);
          const asked = performance
            .getEntriesByType('resource')
            .filter(({ name, startTime }) => startTime >= beganMs && name.includes(`/whep/${id}/`));
          const answer = asked.at(-1);
          const answeredMs = answer === undefined ? null : answer.startTime + answer.duration - beganMs;
          resolve({ shownMs: nowMs - beganMs, answeredMs });
        };
        video?.requestVideoFrameCallback(look);
        location.hash = String(to);
      }),
    [feed, hash, width] as const,
  );

const at = (times: readonly number[], share: number): number => {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
};

const summary = (switches: readonly Switch[]): string => {
  const [shown, answered] = [
    switches.map(({ shownMs }) => shownMs),
    switches.flatMap(({ answeredMs }) => answeredMs ?? []),
  ];
  return `p50 ${at(shown, 0.5)} ms, p95 ${at(shown, 0.95)} ms of ${shown.length}; of which until the appliance answered p50 ${at(answered, 0.5)} ms, p95 ${at(answered, 0.95)} ms`;
};

const ids = Array.from({ length: count }, (_, n) => `cam${n}`);
const sources = ids.map((id) =>
  [
    `[[source]]`,
    `id = "${id}"`,
    `kind = "test"`,
    'width = 1280',
    'height = 720',
    `fps = ${fps}`,
    'bitrate_kbps = 2500',
    'small = "on"',
  ].join('\n'),
);
await using appliance = await startAppliance({
  config: `role = "hub"\n\n[masters]\ncodec = "off"\n\n${sources.join('\n\n')}\n`,
});
const online = async () => {
  const feeds = await appliance.get<Feed[]>('/api/feeds');
  return feeds.filter(({ layers }) => layers.length === 2).length === count;
};
await appliance.until('all feeds have both layers', online, 120_000);
await using browser = await openBrowser();
await browser.addInitScript(keepPeers);
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
  up.push(await timeTo(page, id, `#/feed/${id}`, 1280));
  await sleep(2500);
  if (round === 0) console.log(`one large, the others hidden: ${(await rateOf(page)).toFixed(2)} Mbit/s`);
  down.push(await timeTo(page, id, '#/', 640));
  await sleep(2500);
}
console.log(`from the grid to the large view, first sharp frame: ${summary(up)}`);
console.log(`back to the grid, first small frame: ${summary(down)}`);
const feeds = await appliance.get<Feed[]>('/api/feeds');
console.log(
  `sent: ${feeds.map(({ layers }) => layers.map(({ bitrateKbps }) => bitrateKbps).join('/')).join(' ')} kbit/s`,
);
