/**
 * How soon Chromium shows a feed that it joins, and how long the picture then runs faster than life: in a bare video element, on the
 * director's page, and on that page in a browser that does not report its pictures: `node scripts/measure-joins.ts [joins] [seconds between keyframes]`. The test source encodes on its own clock and ignores
 * requests for keyframes. Prints figures; judges nothing.
 */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { stripAgeMs } from '../media/capture/strip.ts';
import type { Feed } from '../supervisor/contract/index.ts';
import { startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';
import { picturesSeen, racesIn, type SeenPicture, watchPictures } from './testing/seen-pictures.ts';

const joins = Number(process.argv[2] ?? 40);
const keyframeSeconds = Number(process.argv[3] ?? 10);
const [width, height, fps] = [1280, 720, 30];
const watchedMs = 2500;
/** A picture this much older than the later ones still counts as live. */
const liveWithinMs = 1.5 * (1000 / fps);

interface Joining {
  /** When the offer was sent, by the page's clock. */
  offeredMs: number | undefined;
}

/** Views the feed in a new session and a bare video element. Runs in the browser. */
async function view(feed: string): Promise<void> {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, autoplay: true });
  document.body.replaceChildren(video);
  const peer = new RTCPeerConnection();
  peer.addTransceiver('video', { direction: 'recvonly' });
  peer.addEventListener('track', ({ track }) => {
    video.srcObject = new MediaStream([track]);
  });
  await peer.setLocalDescription();
  const answer = await fetch(`/whep/${feed}`, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp' },
    body: peer.localDescription?.sdp ?? '',
  });
  if (!answer.ok) throw new Error(await answer.text());
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  addEventListener('pagehide', () => {
    peer.close();
    void fetch(answer.headers.get('location') ?? '', { method: 'DELETE', keepalive: true });
  });
}

/** Notes when the document sends its offer. Runs in the browser. */
const noteOffer = () => {
  const { fetch } = globalThis;
  const noted: typeof fetch = async (input, init) => {
    if (String(input).includes('/whep/') && init?.method === 'POST')
      (globalThis as unknown as Joining).offeredMs ??= performance.now();
    return await fetch(input, init);
  };
  Object.assign(globalThis, { fetch: noted });
};

/** As browsers that do not report their pictures. Runs in the browser. */
const reportNothing = () => {
  Reflect.deleteProperty(HTMLVideoElement.prototype, 'requestVideoFrameCallback');
};

interface Joined {
  readonly firstMs: number;
  /** Age of the first picture. */
  readonly firstAgeMs: number;
  /** From the first picture until it is live. */
  readonly catchUpMs: number;
  /** How long pictures were seen that run faster than life. */
  readonly raceMs: number;
}

function judge(seen: readonly SeenPicture[], offeredMs: number): Joined {
  const pictures = seen.map((picture) => ({ ...picture, ageMs: stripAgeMs(picture, picture.unixMs) }));
  const [first] = pictures;
  if (first === undefined) throw new Error('No picture with a readable strip was shown.');
  const later = pictures.slice(-fps).map(({ ageMs }) => ageMs);
  const liveAgeMs = at(later, 0.5);
  const live = pictures.find(({ ageMs }) => ageMs <= liveAgeMs + liveWithinMs) ?? first;
  return {
    firstMs: first.atMs - offeredMs,
    firstAgeMs: first.ageMs,
    catchUpMs: live.atMs - first.atMs,
    raceMs: racesIn(pictures, fps).reduce((sum, { ms }) => sum + ms, 0),
  };
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const line = (values: readonly number[]): string =>
  `p50 ${at(values, 0.5).toFixed(0)} ms, p95 ${at(values, 0.95).toFixed(0)} ms, longest ${at(values, 1).toFixed(0)} ms`;

/** One join in a new document. */
async function join(page: Page, bare: boolean): Promise<Joined> {
  await page.bringToFront();
  await page.goto(bare ? `${appliance.url}/healthz` : appliance.url);
  if (bare) await page.evaluate(view, 'cam0');
  await sleep(watchedMs);
  const offeredMs = await page.evaluate(() => (globalThis as unknown as Joining).offeredMs);
  if (offeredMs === undefined) throw new Error('The page has made no offer.');
  const seen = await picturesSeen(page);
  await page.goto('about:blank');
  return judge(seen, offeredMs);
}

await using appliance = await startAppliance({
  config: `role = "hub"
[masters]
codec = "off"
[[source]]
id = "cam0"
kind = "test"
width = ${width}
height = ${height}
fps = ${fps}
bitrate_kbps = 4000
keyframe_interval_s = ${keyframeSeconds}
small = "off"
`,
});
await appliance.until(
  'the feed is live',
  async () => (await appliance.get<Feed[]>('/api/feeds'))[0]?.state === 'online',
  120_000,
);
await sleep((keyframeSeconds + 1) * 1000);
await using browser = await openBrowser();
const openPage = async () => {
  const page = await browser.newPage();
  await page.addInitScript(noteOffer);
  await watchPictures(page, height);
  return page;
};
const page = await openPage();
const plain = await openPage();
await plain.addInitScript(reportNothing);
const kinds = [
  { name: 'a bare video element', page, bare: true, joined: [] as Joined[] },
  { name: 'the page', page, bare: false, joined: [] as Joined[] },
  { name: 'the page without reports of pictures', page: plain, bare: false, joined: [] as Joined[] },
];
for (const kind of kinds) await join(kind.page, kind.bare);
for (let n = 0; n < joins; n += 1) {
  for (const kind of kinds) kind.joined.push(await join(kind.page, kind.bare));
  // Steps that do not divide the time between keyframes evenly, so that joins fall everywhere in it.
  await sleep(((n * 0.381) % 1) * 1000);
}
console.log(`${joins} joins of a feed of ${height}p at ${fps} fps, ${keyframeSeconds} s between keyframes`);
for (const { name, joined } of kinds) {
  console.log(`${name}: first picture on the screen ${line(joined.map(({ firstMs }) => firstMs))}`);
  console.log(`  its age ${line(joined.map(({ firstAgeMs }) => firstAgeMs))}`);
  console.log(`  from there until live ${line(joined.map(({ catchUpMs }) => catchUpMs))}`);
  console.log(`  race seen ${line(joined.map(({ raceMs }) => raceMs))}`);
}
console.log(`load average ${loadavg().map((load) => load.toFixed(1))}`);
