import type { OutputSettings } from '../../config/schema.ts';
import { feedPlace } from '../../config/schema-output.ts';
import type { Feed, SourceStatus } from '../../contract/index.ts';

/** One feed on its way to one address. */
export interface Target {
  readonly output: string;
  readonly feed: string;
  readonly url: string;
}

/** What an output is to send, in the order of the feeds. Pure. */
export function targetsOf(
  { id, feed, url }: Pick<OutputSettings, 'id' | 'feed' | 'url'>,
  feeds: readonly string[],
) {
  const wanted = feed === '*' ? feeds : [feed];
  return wanted.map((one): Target => ({ output: id, feed: one, url: url.replaceAll(feedPlace, one) }));
}

/**
 * Feeds that `*` stands for: those that somebody publishes, and those that should be there. A feed that the list shows only because
 * an output asks for it does not count, and JPEG pictures cannot be sent by WHIP.
 */
export function sendableFeeds(
  feeds: readonly Feed[],
  expected: readonly Pick<SourceStatus, 'id' | 'state'>[],
): string[] {
  const due = new Set(expected.filter(({ state }) => state !== 'stopped').map(({ id }) => id));
  return feeds
    .filter(({ id, codec, publisher }) => codec !== 'mjpeg' && (publisher !== null || due.has(id)))
    .map(({ id }) => id);
}

/** Remembers what was there a moment ago, so that a publisher that comes back soon finds its sessions as they were. */
export class Lingering {
  readonly #lingerMs: number;
  readonly #lastSeen = new Map<string, number>();

  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs;
  }

  /** What is there, with what was there until a moment ago behind it. */
  see(present: readonly string[], nowMs: number): string[] {
    for (const one of present) this.#lastSeen.set(one, nowMs);
    for (const [one, seenMs] of this.#lastSeen)
      if (nowMs - seenMs > this.#lingerMs) this.#lastSeen.delete(one);
    return [...new Set([...present, ...this.#lastSeen.keys()])].sort();
  }
}
