import type { Logger } from 'pino';
import type { Feed } from '../../contract/index.ts';
import type { Caller, JpegPublication } from '../../contract/ports.ts';
import { ApplianceError } from '../../system/appliance-error.ts';
import { JpegFeed, type JpegPublisher } from './jpeg-feed.ts';

const maxFeeds = 32;
/** A feed whose agent left is shown as offline for a while, then forgotten. */
const forgottenAfterMs = 5 * 60_000;

/** Where feeds of pictures fit in. */
export interface JpegFeedsOptions {
  readonly labelOf: (feed: string) => string;
  /** Whether something else, such as a source of this machine, has the name. */
  readonly isTaken: (feed: string) => boolean;
  readonly onChange: () => void;
  readonly log: Logger;
}

interface Entry {
  readonly feed: JpegFeed;
  holder: Holder | null;
  leftAtMs: number;
}

interface Holder {
  readonly keyId: string | null;
  readonly end: (reason: string) => void;
}

/** All feeds that consist of JPEG pictures. */
export class JpegFeeds {
  readonly #options: JpegFeedsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: JpegFeedsOptions) {
    this.#options = options;
  }

  get(id: string): JpegFeed | null {
    return this.#entries.get(id)?.feed ?? null;
  }

  /** Whether a publisher fills this feed now. */
  isPublished(id: string): boolean {
    return (this.#entries.get(id)?.holder ?? null) !== null;
  }

  list(): Feed[] {
    this.#forget();
    return [...this.#entries.values()].map(({ feed }) => feed.stats());
  }

  /** Throws FEED_BUSY if `publish` would. */
  mayPublish(id: string, { keyId }: Pick<Caller, 'keyId'>): void {
    const holder = this.#entries.get(id)?.holder ?? null;
    const takesOver = holder !== null && holder.keyId !== null && holder.keyId === keyId;
    if (this.#options.isTaken(id) || (holder !== null && !takesOver)) {
      throw new ApplianceError('FEED_BUSY', `Somebody else publishes the feed "${id}".`, {
        hint: 'Publish under another name, or end the other publisher.',
      });
    }
    this.#forget();
    if (!this.#entries.has(id) && this.#entries.size >= maxFeeds) {
      throw new ApplianceError('FEED_BUSY', `There are ${maxFeeds} feeds of pictures already.`);
    }
  }

  /** Opens the feed for an agent. Throws FEED_BUSY; the same key takes its own place over. */
  publish(id: string, caller: Caller): JpegPublication {
    this.mayPublish(id, caller);
    return this.#hold(id, caller.keyId, { kind: 'jpeg', camera: caller.subject, since: performance.now() });
  }

  /** Opens the feed for a stream that this appliance pulls. */
  pull(id: string): JpegPublication {
    return this.#hold(id, null, { kind: 'pull', camera: null, since: performance.now() });
  }

  /** Opens the feed for a source of this machine. */
  ingest(id: string): JpegPublication {
    return this.#hold(id, null, { kind: 'ingest', camera: null, since: performance.now() });
  }

  /** The feed, whether it has a publisher or not. */
  open(id: string): JpegFeed {
    return this.#obtain(id).feed;
  }

  /** The feed is no longer wanted, and no longer listed. */
  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.holder === null) this.#entries.delete(id);
  }

  #hold(id: string, keyId: string | null, publisher: JpegPublisher): JpegPublication {
    const { onChange, log } = this.#options;
    const entry = this.#obtain(id);
    let listener: (reason: string) => void = () => {};
    const holder: Holder = { keyId, end: (reason) => listener(reason) };
    entry.holder?.end('another connection publishes now');
    entry.holder = holder;
    entry.feed.publisher = publisher;
    log.info({ feed: id, by: publisher.camera }, 'pictures are published');
    onChange();
    return {
      frame: (jpeg) => (entry.holder === holder ? entry.feed.take(jpeg) : null),
      onEnd: (onEnd) => {
        listener = onEnd;
      },
      [Symbol.dispose]: () => {
        if (entry.holder !== holder) return;
        entry.holder = null;
        entry.feed.publisher = null;
        entry.feed.hub.forget();
        entry.leftAtMs = performance.now();
        log.info({ feed: id }, 'pictures are no longer published');
        onChange();
      },
    };
  }

  #obtain(id: string): Entry {
    const { labelOf } = this.#options;
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    const feed = new JpegFeed(id, () => labelOf(id));
    const entry: Entry = { feed, holder: null, leftAtMs: performance.now() };
    this.#entries.set(id, entry);
    return entry;
  }

  #forget(): void {
    const nowMs = performance.now();
    for (const [id, { feed, holder, leftAtMs }] of this.#entries) {
      if (holder === null && feed.hub.watchers === 0 && nowMs - leftAtMs > forgottenAfterMs) {
        this.#entries.delete(id);
      }
    }
  }
}
