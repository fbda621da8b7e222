import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { CommandRefusedError } from './errors.ts';

/** What snapshots need. */
export interface SnapshotOptions {
  /** One picture of a feed, as JPEG. */
  readonly take: (feed: string) => Promise<Buffer>;
  readonly publish: (feed: string, jpeg: Buffer) => Promise<void>;
  readonly logger: Logger;
}

/** Brokers and Home Assistant keep the whole picture in memory. */
const largestPictureBytes = 512 * 1024;
const longestTakingMs = 20_000;

/** Takes pictures of feeds one after the other, because each may cost a decoder, and publishes them. */
export class Snapshots {
  readonly #options: SnapshotOptions;
  readonly #waiting = new Map<string, Promise<void>>();
  readonly #inTurn = pLimit(1);

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /**
   * Resolves once a picture that was taken after this call has been published. Calls for a feed that is waiting already share
   * its picture.
   */
  async request(feed: string): Promise<void> {
    const waiting = this.#waiting.get(feed);
    if (waiting !== undefined) return waiting;
    const job = this.#inTurn(() => {
      this.#waiting.delete(feed);
      return this.#takeAndPublish(feed);
    });
    this.#waiting.set(feed, job);
    return job;
  }

  /** Like `request`, for pictures that no caller waits for: a failure is only logged. */
  refresh(feed: string): void {
    this.request(feed).catch((error: unknown) => {
      this.#options.logger.debug({ feed, err: error }, 'no snapshot');
    });
  }

  async #takeAndPublish(feed: string): Promise<void> {
    const jpeg = await withinTime(this.#options.take(feed), feed);
    if (jpeg.length > largestPictureBytes) {
      throw new CommandRefusedError('SNAPSHOT_TOO_LARGE', `the picture has ${jpeg.length} bytes`);
    }
    await this.#options.publish(feed, jpeg);
  }
}

/** A camera that never answers must not delay the pictures of the others. */
async function withinTime(taking: Promise<Buffer>, feed: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const late = () => reject(new CommandRefusedError('SNAPSHOT_TIMEOUT', `no picture of ${feed} in time`));
  const timer = setTimeout(late, longestTakingMs);
  taking.then(resolve, reject);
  return await promise.finally(() => clearTimeout(timer));
}
