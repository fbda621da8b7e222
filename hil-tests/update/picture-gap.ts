import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from '../lib/test-case.ts';
import { WhepViewer } from '../lib/whep-viewer.ts';

const pollMs = 100;
/** Without a picture for this long, a viewer asks again, like the page. */
const patienceMs = 3_000;

/** A viewer outside that watches through an update, and the longest time it had no picture. */
export class PictureGap implements AsyncDisposable {
  readonly #context: TestContext;
  readonly #feed: string;
  readonly #stop = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  #lastMs: number | null = null;
  #longestMs = 0;

  private constructor(context: TestContext, feed: string) {
    this.#context = context;
    this.#feed = feed;
  }

  /** Starts watching; the gap counts from the first picture on. */
  static watch(context: TestContext, feed: string): PictureGap {
    const gap = new PictureGap(context, feed);
    gap.#watching = gap.#watch();
    return gap;
  }

  get hasPictures(): boolean {
    return this.#lastMs !== null;
  }

  /** Whether a picture came just now. */
  get isLive(): boolean {
    return this.#lastMs !== null && performance.now() - this.#lastMs < 1_000 * this.#context.rig.slowness;
  }

  /** From the last picture before to the first one after, in milliseconds; a gap that still lasts counts as well. */
  get longestMs(): number {
    const lasting = this.#lastMs === null ? 0 : performance.now() - this.#lastMs;
    return Math.max(this.#longestMs, lasting);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#view();
      } catch {
        // The device is down, or starting: this is what is measured here.
        await sleep(1_000);
      }
    }
  }

  async #view(): Promise<void> {
    const { api, rig } = this.#context;
    const token = (await rig.network.shell('cat /data/rushlight/owner-token')).trim();
    const media = rig.network.endpoint('udp', 8189);
    await using viewer = await WhepViewer.open(api, this.#feed, token, media, 20_000 * rig.slowness);
    let seen = 0;
    let quietMs = 0;
    while (quietMs < patienceMs * rig.slowness && !this.#stop.signal.aborted) {
      const { pictures } = viewer.counter;
      quietMs = pictures > seen ? 0 : quietMs + pollMs;
      if (pictures > seen) this.#notePicture();
      seen = pictures;
      await sleep(pollMs);
    }
  }

  #notePicture(): void {
    const now = performance.now();
    if (this.#lastMs !== null) this.#longestMs = Math.max(this.#longestMs, now - this.#lastMs);
    this.#lastMs = now;
  }
}
