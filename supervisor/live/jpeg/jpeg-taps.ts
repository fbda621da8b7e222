import type { Logger } from 'pino';
import type { ChildHost, VideoCodec } from '../../../media/index.ts';
import type { Feed } from '../../contract/index.ts';
import type { Caller, FrameWatch, JpegPort, JpegPublication } from '../../contract/ports.ts';
import { ApplianceError } from '../../system/appliance-error.ts';
import { FeedDecoder } from './feed-decoder.ts';
import type { JpegFeeds } from './jpeg-feeds.ts';

const snapshotMs = 5000;

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
    if (this.#options.feeds().some(({ id }) => id === feed)) return;
    throw new ApplianceError('FEED_UNKNOWN', `There is no feed "${feed}".`, {
      hint: '/api/feeds lists what there is.',
    });
  }

  watch(feed: string): FrameWatch {
    this.mayWatch(feed);
    const { jpegFeeds } = this.#options;
    const jpeg = jpegFeeds.isPublished(feed) ? jpegFeeds.get(feed) : null;
    return (jpeg ?? this.#decoderOf(feed)).hub.watch();
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

  #decoderOf(feed: string): FeedDecoder {
    const known = this.#decoders.get(feed);
    if (known !== undefined) return known;
    for (const [id, decoder] of this.#decoders) {
      if (!decoder.tapped && decoder.hub.watchers === 0) this.#decoders.delete(id);
    }
    const { host, folder, configureTaps, log } = this.#options;
    const decoder = new FeedDecoder({
      ...{ feed, host, folder, configureTaps, log },
      codec: () => this.#codecOf(feed),
    });
    this.#decoders.set(feed, decoder);
    return decoder;
  }
}
