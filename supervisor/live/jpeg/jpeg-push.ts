import type { Logger } from 'pino';
import { backoffMs } from '../../../common/backoff.ts';
import { describeError } from '../../../common/errors.ts';
import { parseJsonText } from '../../../common/json-text.ts';
import { pause } from '../../../common/pause.ts';
import { type PictureSenderEnd, sendPictures } from '../../../common/picture-sender.ts';
import { pictureRefusalSchema } from '../../contract/index.ts';
import type { FrameWatch } from '../../contract/ports.ts';
import { pinTls } from '../../discovery/index.ts';
import type { Push } from '../media-flows.ts';

/** What is pushed, and where. */
export interface JpegPushOptions {
  /** `url` is the hub's `/ws/feeds/<feed>`, by http or https. */
  readonly target: Push;
  /** Opens one more client of the feed on this machine. */
  readonly watch: () => FrameWatch;
  readonly log: Logger;
}

/** Short, since a feed must be back within 3 s of the link's return. */
const retryLimits = { firstMs: 250, maxMs: 1000 };
/** For errors that a quick retry does not fix: an unknown key, a name that is taken. */
const refusedLimits = { firstMs: 5000, maxMs: 5000 };

/** Publishes a feed of pictures to the hub: always the newest picture, each once the one before has left. */
export class JpegPush {
  readonly #options: JpegPushOptions;

  constructor(options: JpegPushOptions) {
    this.#options = options;
  }

  /** Until abort; connects again after every failure. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { target, log } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const { sent, reason, refused } = await this.#once(signal);
      if (signal.aborted) return;
      failures = sent > 0 ? 0 : failures + 1;
      if (failures <= 1) log.warn({ feed: target.feed, reason }, 'publishing pictures failed; trying on');
      await pause(backoffMs(failures, refused ? refusedLimits : retryLimits), signal);
    }
  }

  /** One connection. */
  async #once(signal: AbortSignal): Promise<PictureSenderEnd> {
    const { url: base, token, tlsFingerprint } = this.#options.target;
    const url = new URL(`${base}?publish`);
    const secure = url.protocol === 'https:';
    try {
      const tls = secure && tlsFingerprint !== null ? await pinTls(url, tlsFingerprint, signal) : {};
      url.protocol = secure ? 'wss:' : 'ws:';
      const onMessage = (text: string) => this.#hear(text);
      return await sendPictures({ url, token, tls, open: this.#options.watch, onMessage }, signal);
    } catch (error) {
      return { sent: 0, reason: describeError(error), refused: false };
    }
  }

  #hear(text: string): void {
    const { target, log } = this.#options;
    const refusal = refusalIn(text);
    if (refusal !== null) log.info({ feed: target.feed, ...refusal }, 'the hub refused pictures');
  }
}

function refusalIn(text: string): { code: string; reason: string; count: number } | null {
  try {
    const { code, message, count } = pictureRefusalSchema.parse(parseJsonText(text));
    return { code, reason: message, count };
  } catch {
    // From a hub of another version; it is not needed.
    return null;
  }
}
