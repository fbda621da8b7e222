import type { Logger } from 'pino';
import { Feed } from './feed.ts';
import type { FeedState, FeedStats } from './feed-stats.ts';
import type { MediaPlane } from './media-plane.ts';

/** What the feeds need. */
export interface FeedRegistryOptions {
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onState: (feed: Feed, state: FeedState) => void;
}

/** All feeds of this machine, by name. */
export class FeedRegistry implements Disposable {
  readonly #options: FeedRegistryOptions;
  readonly #feeds = new Map<string, Feed>();
  /** Feeds that the configuration names; they stay without publisher and viewers. */
  #held = new Set<string>();
  /** Feeds with an offer under way. */
  readonly #inUse = new Map<Feed, number>();

  constructor(options: FeedRegistryOptions) {
    this.#options = options;
  }

  get(id: string): Feed | null {
    return this.#feeds.get(id) ?? null;
  }

  /** The feed, made if it is new; `release` it once it has its publisher. */
  obtain(id: string): Feed {
    const feed = this.#make(id);
    this.#inUse.set(feed, (this.#inUse.get(feed) ?? 0) + 1);
    return feed;
  }

  release(feed: Feed): void {
    const uses = (this.#inUse.get(feed) ?? 1) - 1;
    if (uses > 0) this.#inUse.set(feed, uses);
    else this.#inUse.delete(feed);
    this.sweep();
  }

  /** The feed, which stays until `keepOnly` no longer names it. */
  hold(id: string): Feed {
    this.#held.add(id);
    return this.#make(id);
  }

  keepOnly(ids: Set<string>): void {
    this.#held = ids;
    this.sweep();
  }

  /** Drops feeds that no one publishes, views or names. */
  sweep(): void {
    for (const [id, feed] of this.#feeds) {
      if (this.#held.has(id) || this.#inUse.has(feed) || feed.hasPublisher || feed.viewers.size > 0) continue;
      this.#feeds.delete(id);
      feed[Symbol.dispose]();
    }
  }

  tick(nowMs: number): void {
    for (const feed of this.#feeds.values()) feed.tick(nowMs);
  }

  stats(nowMs: number): FeedStats[] {
    return [...this.#feeds.values()].map((feed) => feed.stats(nowMs));
  }

  [Symbol.dispose](): void {
    for (const feed of this.#feeds.values()) feed[Symbol.dispose]();
    this.#feeds.clear();
  }

  #make(id: string): Feed {
    let feed = this.#feeds.get(id);
    if (feed === undefined) {
      feed = new Feed({ id, ...this.#options });
      this.#feeds.set(id, feed);
    }
    return feed;
  }
}
