import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type ChildHost, PictureDecoder, type VideoCodec } from '../../../media/index.ts';
import { FrameHub } from './frame-hub.ts';

/** A page that is reloaded, or a picture that is fetched every other second, keeps its decoder. */
const lingerMs = 3000;

/** What a decoder needs. */
export interface FeedDecoderOptions {
  readonly feed: string;
  readonly codec: () => VideoCodec;
  readonly host: ChildHost;
  /** Folder of the sockets. */
  readonly folder: string;
  /** Sends what `tapped` says to the media process. */
  readonly configureTaps: () => Promise<void>;
  readonly log: Logger;
}

/** Decodes one feed while any client watches its pictures: one program, no matter how many clients. */
export class FeedDecoder {
  readonly hub = new FrameHub((watchers) => this.#follow(watchers));
  readonly #options: FeedDecoderOptions;
  readonly #stop = new AbortController();
  #run: { readonly stop: AbortController; readonly ended: Promise<void> } | null = null;
  #linger: NodeJS.Timeout | null = null;

  constructor(options: FeedDecoderOptions) {
    this.#options = options;
  }

  /** Whether the media process has to deliver the feed. */
  get tapped(): boolean {
    return this.#run !== null;
  }

  /** Unix socket over which the media process delivers the feed. Short, as such paths have to be. */
  get tapPath(): string {
    return `${this.#path}.h264`;
  }

  /** Ends the program, and starts no more. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#endLinger();
    this.#run?.stop.abort();
    await this.#run?.ended;
  }

  get #path(): string {
    return join(this.#options.folder, `picture-${this.#hash}`);
  }

  get #hash(): string {
    return createHash('sha256').update(this.#options.feed).digest('hex').slice(0, 12);
  }

  #follow(watchers: number): void {
    if (watchers > 0) {
      this.#endLinger();
      if (this.#run === null) this.#start();
    } else {
      this.#linger ??= setTimeout(() => {
        this.#linger = null;
        this.#run?.stop.abort();
      }, lingerMs);
    }
  }

  #start(): void {
    if (this.#stop.signal.aborted) return;
    const stop = new AbortController();
    const ended = this.#decode(stop.signal)
      .catch((error: unknown) => {
        this.#options.log.error({ err: error, feed: this.#options.feed }, 'a feed cannot be decoded');
      })
      .then(() => {
        this.#run = null;
        this.hub.forget();
        // A client may have come while it ended.
        if (this.hub.watchers > 0 && stop.signal.aborted) this.#start();
        else if (!this.#stop.signal.aborted) void this.#configure();
      });
    this.#run = { stop, ended };
  }

  async #decode(signal: AbortSignal): Promise<void> {
    const { feed, host, log, codec } = this.#options;
    await Promise.resolve(); // until `tapped` tells the truth
    await this.#configure();
    const decoder = new PictureDecoder({
      // Names of children must be shorter than names of feeds may be.
      name: `picture-${feed.slice(0, 40)}-${this.#hash}`,
      host,
      codec,
      sockets: { input: this.tapPath, output: `${this.#path}.jpeg` },
      onPicture: (picture) => this.hub.publish(picture),
      logger: log,
    });
    log.debug({ feed }, 'decoding starts');
    await decoder.run(signal);
    log.debug({ feed }, 'decoding ended');
  }

  async #configure(): Promise<void> {
    try {
      await this.#options.configureTaps();
    } catch (error) {
      // The media process gets its configuration again when it is back.
      this.#options.log.warn({ err: error, feed: this.#options.feed }, 'a feed cannot be tapped');
    }
  }

  #endLinger(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
  }
}
