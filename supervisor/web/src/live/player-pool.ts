import type { Feed } from '../../../contract/index.ts';
import { Store } from '../app/store.ts';
import { FeedPlayer } from './feed-player.ts';
import { isPictures } from './feed-view.ts';
import { picturesNotice } from './picture-fallback.ts';

/** A feed of pictures is shown without a player. */
const conditionFor = (feed: Feed): Feed['state'] => (isPictures(feed) ? 'offline' : feed.state);

/** One player per feed, for as long as the feed exists: views come and go without affecting the sessions. */
export class PlayerPool {
  /** The message about feeds that are shown as pictures instead of video; null if there are none. */
  readonly notice = new Store<string | null>(null);
  readonly #players = new Map<string, { player: FeedPlayer; stop: AbortController }>();

  /** The player of a feed, started when it is first requested. */
  of(feed: Feed): FeedPlayer {
    const known = this.#players.get(feed.id);
    if (known !== undefined) return known.player;
    const player = new FeedPlayer(`/whep/${encodeURIComponent(feed.id)}`);
    const stop = new AbortController();
    this.#players.set(feed.id, { player, stop });
    player.view.subscribe(() => this.#look());
    player.setCondition(conditionFor(feed));
    player.setLayers(feed.layers);
    void player.run(stop.signal);
    return player;
  }

  /** Gives the players the news of their feeds, and ends those whose feed is gone. */
  sync(feeds: readonly Feed[]): void {
    for (const feed of feeds) {
      this.of(feed).setCondition(conditionFor(feed));
      this.of(feed).setLayers(feed.layers);
    }
    for (const [id, { stop }] of this.#players) {
      if (feeds.some((feed) => feed.id === id)) continue;
      stop.abort();
      this.#players.delete(id);
    }
    this.#look();
  }

  /** Lets every player that waits try at once. */
  retry(): void {
    for (const { player } of this.#players.values()) player.retry();
  }

  /** Ends all sessions. The pool can be used again afterwards. */
  clear(): void {
    this.sync([]);
  }

  #look(): void {
    const views = [...this.#players.values()].map(({ player }) => player.view.value);
    this.notice.set(picturesNotice(views.map(({ pictures }) => pictures)));
  }
}
