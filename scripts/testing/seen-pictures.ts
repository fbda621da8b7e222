import type { Page } from 'playwright-core';
import { readStrip, stripHeight } from '../../media/capture/strip.ts';

/** A picture on the screen, from the refresh on at which it was first seen. */
export interface SeenPicture {
  /** The page's clock. */
  readonly atMs: number;
  readonly unixMs: number;
  /** The number in its strip. */
  readonly frame: number;
  /** The clock in its strip: Unix time in milliseconds modulo 65536. */
  readonly clockMs: number;
  /** A still that covers the video. */
  readonly still: boolean;
}

/** What is in the page at a refresh: the brightness along the strip, at every fourth pixel. */
interface Look {
  readonly atMs: number;
  readonly unixMs: number;
  readonly still: boolean;
  readonly row: readonly number[];
}

interface Watch {
  looks: Look[];
}

/** Looks at the first video of the document, or what covers it, at every refresh of the screen. Runs in the browser. */
const watch = (stripRow: { pictureHeight: number; row: number }) => {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const looks: Look[] = [];
  Object.assign(globalThis, { looks });
  const look = (atMs: number) => {
    requestAnimationFrame(look);
    const still = document.querySelector<HTMLCanvasElement>('.still:not([hidden])');
    const video = document.querySelector('video');
    const shown = still ?? video;
    const width = still === null ? (video?.videoWidth ?? 0) : still.width;
    const height = still === null ? (video?.videoHeight ?? 0) : still.height;
    if (shown === null || context === null || width === 0 || (video?.readyState ?? 0) < 2) return;
    canvas.width = width;
    context.drawImage(shown, 0, -Math.round((stripRow.row * height) / stripRow.pictureHeight));
    const row = [...context.getImageData(0, 0, width, 1).data].filter((_, n) => n % 16 === 0);
    looks.push({ atMs, unixMs: performance.timeOrigin + atMs, still: still !== null, row });
  };
  requestAnimationFrame(look);
};

/** From its next document on, the page is watched; its pictures have this height. */
export const watchPictures = (page: Page, pictureHeight: number): Promise<unknown> =>
  page.addInitScript(watch, { pictureHeight, row: stripHeight(pictureHeight) / 2 });

/** The pictures with a strip that the document has shown so far, each once. */
export async function picturesSeen(page: Page): Promise<SeenPicture[]> {
  const looks = await page.evaluate(() => (globalThis as unknown as Watch).looks);
  const seen: SeenPicture[] = [];
  for (const { atMs, unixMs, still, row } of looks) {
    const reading = readStrip({ data: row, width: row.length, height: 1 });
    if (reading !== undefined && reading.frame !== seen.at(-1)?.frame)
      seen.push({ atMs, unixMs, still, ...reading });
  }
  return seen;
}

/** A step this much faster than life is fast, beyond what the refreshes of the screen account for. */
const fastPace = 1.7;
const refreshMs = 10;
/** A picture that stays this long was seen as a still. */
const stillMs = 200;

/**
 * The fast steps of each race: pictures that follow each other faster than they were taken, several in a row. A single cut to a later picture is none.
 */
export function racesIn(pictures: readonly SeenPicture[], fps: number): { steps: number; ms: number }[] {
  const races: { steps: number; ms: number }[] = [];
  let run = { steps: 0, ms: 0 };
  for (const [n, picture] of pictures.entries()) {
    const before = pictures[n - 1];
    if (before === undefined) continue;
    const spentMs = picture.atMs - before.atMs;
    const passedMs = ((picture.frame - before.frame) * 1000) / fps;
    const fast = passedMs < 0 || passedMs > spentMs * fastPace + refreshMs;
    if (fast && spentMs < stillMs) {
      run = { steps: run.steps + 1, ms: run.ms + spentMs };
      continue;
    }
    if (run.steps > 1) races.push(run);
    run = { steps: 0, ms: 0 };
  }
  return run.steps > 1 ? [...races, run] : races;
}
