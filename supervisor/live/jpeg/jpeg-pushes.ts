import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { ServiceSlot } from '../../process/service-slot.ts';
import type { Push } from '../media-flows.ts';
import type { JpegFeeds } from './jpeg-feeds.ts';
import { JpegPush } from './jpeg-push.ts';

/** The feeds of pictures that this camera publishes to its hub. */
export class JpegPushes {
  readonly #jpegFeeds: JpegFeeds;
  readonly #log: Logger;
  readonly #slots = new Map<string, ServiceSlot>();
  readonly #inTurn = pLimit(1);

  constructor(jpegFeeds: JpegFeeds, log: Logger) {
    this.#jpegFeeds = jpegFeeds;
    this.#log = log;
  }

  /** Brings the pushes to what is wanted; unchanged ones are left alone. Calls are handled one by one. */
  apply(targets: readonly Push[]): Promise<void> {
    return this.#inTurn(() => this.#apply(targets));
  }

  close(): Promise<void> {
    return this.apply([]);
  }

  async #apply(targets: readonly Push[]): Promise<void> {
    for (const [feed, slot] of this.#slots) {
      if (targets.some((target) => target.feed === feed)) continue;
      this.#slots.delete(feed);
      await slot.close();
    }
    for (const target of targets) {
      const slot = this.#slots.get(target.feed) ?? new ServiceSlot(`pictures of ${target.feed}`, this.#log);
      this.#slots.set(target.feed, slot);
      const watch = () => this.#jpegFeeds.open(target.feed).hub.watch();
      await slot.set(target, (signal) => new JpegPush({ target, watch, log: this.#log }).run(signal));
    }
  }
}
