import type { Feed } from '../../../contract/index.ts';
import { FeedPlayer } from './feed-player.ts';
import { isPictures } from './feed-view.ts';

/** A feed of pictures is shown without a player. */
const conditionFor = (feed: Feed): Feed['state'] => (isPictures(feed) ? 'offline' : feed.state);

/** One player per feed, for as long as the feed exists: views come and go without touching the sessions. */
export class PlayerPool {
  readonly #players = new Map<string, { player: FeedPlayer; stop: AbortController }>();

  /** The player of a feed, started on first sight. */
  of(feed: Feed): FeedPlayer {
    const known = this.#players.get(feed.id);
    if (known !== undefined) return known.player;
    const player = new FeedPlayer(`/whep/${encodeURIComponent(feed.id)}`);
    const stop = new AbortController();
    this.#players.set(feed.id, { player, stop });
    player.setCondition(conditionFor(feed));
    void player.run(stop.signal);
    return player;
  }

  /** Tells the players of their feeds, and ends those whose feed is gone. */
  sync(feeds: readonly Feed[]): void {
    for (const feed of feeds) this.of(feed).setCondition(conditionFor(feed));
    for (const [id, { stop }] of this.#players) {
      if (feeds.some((feed) => feed.id === id)) continue;
      stop.abort();
      this.#players.delete(id);
    }
  }

  /** Lets every player that waits try at once. */
  retry(): void {
    for (const { player } of this.#players.values()) player.retry();
  }

  /** Ends all sessions. The pool can be used again afterwards. */
  clear(): void {
    this.sync([]);
  }
}
