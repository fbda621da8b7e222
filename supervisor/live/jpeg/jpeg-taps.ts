import type { Logger } from 'pino';
import type { ChildHost, VideoCodec } from '../../../media/index.ts';
import type { Feed } from '../../contract/index.ts';
import type { Caller, FrameWatch, JpegPort, JpegPublication } from '../../contract/ports.ts';
import { ApplianceError } from '../../system/appliance-error.ts';
import { FeedDecoder } from './feed-decoder.ts';
import type { FrameHub } from './frame-hub.ts';
import type { JpegFeeds } from './jpeg-feeds.ts';

const snapshotMs = 5000;
/** How soon a client without a picture notices that the feed is now of the other kind. */
const lookEveryMs = 1000;

/** What taps need. */
export interface JpegTapsOptions {
  readonly host: ChildHost;
  readonly jpegFeeds: JpegFeeds;
  /** All feeds as the API shows them. */
  readonly feeds: () => readonly Feed[];
  /** Folder of the sockets between the media process, the decoders and us. */
  readonly folder: string;
  readonly configureTaps: () => Promise<void>;
  readonly log: Logger;
}

/** Feeds as JPEG pictures: feeds of pictures pass unchanged, the others are decoded while a client watches. */
export class JpegTaps implements JpegPort {
  readonly #options: JpegTapsOptions;
  readonly #decoders = new Map<string, FeedDecoder>();

  constructor(options: JpegTapsOptions) {
    this.#options = options;
  }

  /** What the media process has to deliver. */
  taps(): { readonly feed: string; readonly socketPath: string }[] {
    return [...this.#decoders]
      .filter(([, decoder]) => decoder.tapped)
      .map(([feed, { tapPath }]) => ({ feed, socketPath: tapPath }));
  }

  mayWatch(feed: string): void {
    if (this.#isListed(feed)) return;
    throw new ApplianceError('FEED_UNKNOWN', `There is no feed "${feed}".`, {
      hint: '/api/feeds lists what there is.',
    });
  }

  /** Follows the feed even if a client comes before it is known whether it is video or pictures. */
  watch(feed: string): FrameWatch {
    this.mayWatch(feed);
    let hub = this.#hubOf(feed);
    let watch = hub.watch();
    return {
      next: async (signal) => {
        while (!signal.aborted) {
          const picture = await nextWithin(lookEveryMs, watch, signal);
          if (picture !== null) return picture;
          const now = this.#isListed(feed) ? this.#hubOf(feed) : hub;
          if (now === hub || signal.aborted) continue;
          watch[Symbol.dispose]();
          [hub, watch] = [now, now.watch()];
        }
        return null;
      },
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
  }

  mayPublish(feed: string, caller: Caller): void {
    this.#options.jpegFeeds.mayPublish(feed, caller);
  }

  publish(feed: string, caller: Caller): JpegPublication {
    return this.#options.jpegFeeds.publish(feed, caller);
  }

  /** The feed's present picture. Rejects with FEED_UNKNOWN or PICTURE_UNAVAILABLE. */
  async snapshot(feed: string): Promise<Buffer> {
    using watch = this.watch(feed);
    const picture = await watch.next(AbortSignal.timeout(snapshotMs));
    if (picture !== null) return picture;
    throw new ApplianceError('PICTURE_UNAVAILABLE', `No picture of ${feed} came within 5 s.`);
  }

  /** Ends every decoder. */
  async close(): Promise<void> {
    await Promise.all([...this.#decoders.values()].map((decoder) => decoder.close()));
  }

  #codecOf(feed: string): VideoCodec {
    const codec = this.#options.feeds().find(({ id }) => id === feed)?.codec;
    return /^h(vc|ev)1\b/.test(codec ?? '') ? 'h265' : 'h264';
  }

  #isListed(feed: string): boolean {
    return this.#options.feeds().some(({ id }) => id === feed);
  }

  /** Pictures that nobody publishes for a moment are still pictures: there is nothing to decode. */
  #hubOf(feed: string): FrameHub {
    const { jpegFeeds, feeds } = this.#options;
    const isPictures =
      jpegFeeds.isPublished(feed) || feeds().some(({ id, codec }) => id === feed && codec === 'mjpeg');
    const jpeg = isPictures ? jpegFeeds.get(feed) : null;
    return (jpeg ?? this.#decoderOf(feed)).hub;
  }

  #decoderOf(feed: string): FeedDecoder {
    const known = this.#decoders.get(feed);
    if (known !== undefined) return known;
    for (const [id, decoder] of this.#decoders) {
      if (!decoder.tapped && decoder.hub.watchers === 0) this.#decoders.delete(id);
    }
    const { host, folder, configureTaps, log } = this.#options;
    const decoder = new FeedDecoder({
      feed,
      host,
      folder,
      configureTaps,
      log,
      codec: () => this.#codecOf(feed),
    });
    this.#decoders.set(feed, decoder);
    return decoder;
  }
}

/** The watch's next picture; null if none came in time. */
async function nextWithin(ms: number, watch: FrameWatch, signal: AbortSignal): Promise<Buffer | null> {
  const over = new AbortController();
  const end = () => over.abort();
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end);
  try {
    return await watch.next(over.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
