/**
 * How soon Chromium shows a feed that it joins, and how long the picture then runs faster than life:
 * `node scripts/measure-joins.ts [joins] [seconds between keyframes]`. The test source encodes on its own clock and ignores requests for
 * keyframes. Prints figures; judges nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { readStrip, stripAgeMs, stripHeight } from '../media/capture/strip.ts';
import type { Feed } from '../supervisor/contract/index.ts';
import { startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';

const joins = Number(process.argv[2] ?? 40);
const keyframeSeconds = Number(process.argv[3] ?? 10);
const [width, height, fps] = [1280, 720, 30];
const watchedMs = 2500;
/** A picture this much older than the later ones still counts as live. */
const liveWithinMs = 1.5 * (1000 / fps);

/** A frame on the screen. */
interface Shown {
  /** Since the offer was made. */
  readonly atMs: number;
  readonly unixMs: number;
  /** RGBA of one row of the strip. */
  readonly row: readonly number[];
}

/** Views the feed for a while in a new session. Runs in the browser. */
async function join({ feed, ms, row }: { feed: string; ms: number; row: number }): Promise<Shown[]> {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, autoplay: true });
  document.body.replaceChildren(video);
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no canvas');
  const shown: Shown[] = [];
  const beganMs = performance.now();
  const look = (nowMs: number, frame: { width: number }) => {
    canvas.width = frame.width;
    context.drawImage(video, 0, -row);
    const pixels = [...context.getImageData(0, 0, frame.width, 1).data];
    shown.push({ atMs: nowMs - beganMs, unixMs: performance.timeOrigin + nowMs, row: pixels });
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
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
  await new Promise((resolve) => setTimeout(resolve, ms));
  peer.close();
  await fetch(answer.headers.get('location') ?? '', { method: 'DELETE' });
  return shown;
}

interface Joined {
  readonly firstMs: number;
  /** Age of the first picture. */
  readonly firstAgeMs: number;
  /** From the first picture until it is live. */
  readonly catchUpMs: number;
}

function judge(shown: readonly Shown[]): Joined {
  const frames = shown.flatMap(({ atMs, unixMs, row }) => {
    const reading = readStrip({ data: row, width, height: 1, stride: 4 });
    return reading === undefined ? [] : [{ atMs, ageMs: stripAgeMs(reading, unixMs) }];
  });
  const [first] = frames;
  if (first === undefined) throw new Error('No frame with a readable strip was shown.');
  const later = frames.slice(-fps).map(({ ageMs }) => ageMs);
  const liveAgeMs = at(later, 0.5);
  const live = frames.find(({ ageMs }) => ageMs <= liveAgeMs + liveWithinMs) ?? first;
  return { firstMs: first.atMs, firstAgeMs: first.ageMs, catchUpMs: live.atMs - first.atMs };
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const line = (values: readonly number[]): string =>
  `p50 ${at(values, 0.5).toFixed(0)} ms, p95 ${at(values, 0.95).toFixed(0)} ms, longest ${at(values, 1).toFixed(0)} ms`;

async function joinAll(page: Page): Promise<Joined[]> {
  const joined: Joined[] = [];
  for (let n = 0; n < joins; n += 1) {
    joined.push(
      judge(await page.evaluate(join, { feed: 'cam0', ms: watchedMs, row: stripHeight(height) / 2 })),
    );
    // Steps that do not divide the time between keyframes evenly, so that joins fall everywhere in it.
    await sleep(((n * 0.381) % 1) * 1000);
  }
  return joined;
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
const page = await browser.newPage();
await page.goto(`${appliance.url}/healthz`);
await page.evaluate(join, { feed: 'cam0', ms: watchedMs, row: 0 });
const joined = await joinAll(page);
console.log(`${joins} joins of a feed of ${height}p at ${fps} fps, ${keyframeSeconds} s between keyframes`);
console.log(`first frame on the screen: ${line(joined.map(({ firstMs }) => firstMs))}`);
console.log(`its age: ${line(joined.map(({ firstAgeMs }) => firstAgeMs))}`);
console.log(`from there until live: ${line(joined.map(({ catchUpMs }) => catchUpMs))}`);
