// Run by scripts/screenshots.mjs: a simulation with four cameras, seen by a browser on a desktop and on a phone.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import type { Take } from '../../supervisor/contract/index.ts';
import { startAppliance } from '../testing/appliance-process.ts';
import { openBrowser } from '../testing/browser.ts';
import { root } from './pages.ts';

const run = promisify(execFile);

/** What the cameras see: moving pictures that ffmpeg draws. */
const scenes: readonly (readonly [id: string, label: string, picture: string])[] = [
  ['stage', 'Stage', 'mandelbrot=size=640x360:rate=15:start_scale=0.9:maxiter=800'],
  ['drums', 'Drums', 'gradients=size=640x360:rate=15:nb_colors=4:seed=7:speed=0.02'],
  [
    'door',
    'Door',
    'life=size=160x90:rate=15:mold=12:seed=4:life_color=#ffb224:death_color=#5b2333,scale=640:360:flags=neighbor',
  ],
];

const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
const views: readonly (readonly [name: string, hash: string, size: { width: number; height: number }])[] = [
  ['live-desktop', '#/', desktop],
  ['live-phone', '#/', phone],
  ['takes-desktop', '#/takes', desktop],
];

await using browser = await openBrowser(['--allow-loopback-in-peer-connection']);
const folder = await mkdtemp(join(tmpdir(), 'rushlight-scenes-'));
try {
  for (const [id, , picture] of scenes) {
    const film = ['-f', 'lavfi', '-i', picture, '-t', '8', '-c:v', 'libx264', '-bf', '0', '-g', '15'];
    await run('ffmpeg', ['-v', 'error', '-y', ...film, '-pix_fmt', 'yuv420p', join(folder, `${id}.mp4`)]);
  }
  await using appliance = await startAppliance({
    config: settings(folder),
    command: ['npm', 'start', '--silent'],
  });
  const feeds = () => appliance.get<{ state: string }[]>('/api/feeds');
  await appliance.until(
    'every feed is online',
    async () => {
      const all = await feeds();
      return all.length === scenes.length + 1 && all.every(({ state }) => state === 'online');
    },
    120_000,
  );
  await recordOnce(appliance);
  const page = await browser.newPage();
  for (const [name, hash, size] of views) {
    await page.setViewportSize(size);
    await page.goto(`${appliance.url}/${hash}`);
    await page.reload();
    if (name.startsWith('live')) await untilPlaying(page, scenes.length + 1);
    else await page.getByText('verified').first().waitFor();
    await page.waitForTimeout(2000); // the bit rates of the first second are not those of a day
    const png = join(folder, `${name}.png`);
    await page.screenshot({ path: png });
    const webp = join(root, 'docs/images', `${name}.webp`);
    await run('ffmpeg', ['-v', 'error', '-y', '-i', png, '-c:v', 'libwebp', '-quality', '72', webp]);
    process.stdout.write(`${webp}: ${Math.round((await stat(webp)).size / 1024)} KB\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function settings(films: string): string {
  const sources = scenes.map(
    ([id, label]) =>
      `[[source]]\nid = "${id}"\nlabel = "${label}"\nkind = "file"\npath = "${join(films, `${id}.mp4`)}"\n`,
  );
  return `role = "hub"
name = "stage-hub"
[devices]
adopt = "never"
[[source]]
id = "cam0"
label = "Test picture"
kind = "test"
width = 640
height = 360
fps = 15
${sources.join('')}`;
}

/** A short take, until it is verified. */
async function recordOnce(appliance: Awaited<ReturnType<typeof startAppliance>>): Promise<void> {
  const { id } = await appliance.post<Take>('/api/takes');
  await new Promise((resolve) => setTimeout(resolve, 5000));
  await appliance.post(`/api/takes/${id}/stop`);
  await appliance.until(
    'the take is verified',
    async () => {
      const takes = await appliance.get<Take[]>('/api/takes');
      return takes.some((take) => take.id === id && take.state === 'verified');
    },
    300_000,
  );
}

async function untilPlaying(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const playing = [...document.querySelectorAll('video')].filter(
        ({ currentTime, videoWidth }) => currentTime > 1 && videoWidth > 0,
      );
      return playing.length >= wanted;
    },
    count,
    { timeout: 60_000 },
  );
}
