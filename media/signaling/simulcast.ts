/** Two layers of one publisher: the larger one fills the feed, the smaller one its small layer. */
import type { Feed } from '../sfu/feed.ts';
import type { FeedPublisher } from '../sfu/feed-port.ts';
import type { MediaOffer } from './offer.ts';

/**
 * The layers that are taken of those a publisher offers: the first and the last, which are the largest and the smallest in either order.
 * Only one if it does not say how its packets name theirs.
 */
export function takenLayers({ layers, ridExtension }: MediaOffer): readonly string[] {
  const [first, last] = [layers[0], layers.at(-1)];
  if (first === undefined || last === undefined) return [];
  return first === last || ridExtension === null ? [first] : [first, last];
}

/** The layers that are accepted. */
export interface Taken {
  readonly feed: Feed;
  readonly publisher: FeedPublisher;
  readonly rid: string;
}

/** Which layer is the larger one only the pictures tell: a description lists them in any order. */
export class Simulcast {
  readonly #full: Taken;
  readonly #small: Taken;
  /** Pictures that were there before; their size is that of another publisher. */
  readonly #before: readonly [number, number];
  #settled = false;

  constructor(full: Taken, small: Taken) {
    this.#full = full;
    this.#small = small;
    this.#before = [full.feed.video.frames, small.feed.video.frames];
  }

  tick(nowMs: number): void {
    this.#full.publisher.tick(nowMs);
    this.#small.publisher.tick(nowMs);
    if (!this.#settled) this.#settle();
  }

  /** Ends the session, and with it both. */
  close(): void {
    this.#full.publisher.close();
    this.#small.publisher.close();
  }

  #settle(): void {
    const [full, small] = [this.#full, this.#small];
    const [before, smallBefore] = this.#before;
    const isKnown = full.feed.video.frames > before && small.feed.video.frames > smallBefore;
    const [largest, smallest] = [full.feed.video.info, small.feed.video.info];
    if (!isKnown || largest === null || smallest === null) return;
    this.#settled = true;
    if (largest.width >= smallest.width) return;
    full.publisher.takeLayer(small.rid);
    small.publisher.takeLayer(full.rid);
    for (const { feed } of [full, small]) feed.requestKeyframe();
  }
}
