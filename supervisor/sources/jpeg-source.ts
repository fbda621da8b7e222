import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { PictureIntake } from '../../media/index.ts';
import type { JpegPublication } from '../contract/ports.ts';

/** Input and output of a {@link JpegSource}. */
export interface PictureSourceOptions {
  readonly feed: string;
  /** Unix socket the source's pipeline delivers to. */
  readonly socketPath: string;
  /** Opens the place in the list of feeds that the pictures fill. */
  readonly publish: (feed: string) => JpegPublication;
  /** Called with each picture. */
  readonly onFrames: (framesTotal: number) => void;
  readonly log: Logger;
}

/** Unix socket for a source's pictures; short, as such paths have to be. */
export function picturesSocketPath(folder: string, feed: string): string {
  return join(folder, `${createHash('sha256').update(feed).digest('hex').slice(0, 12)}.jpeg`);
}

/** A source that delivers JPEG pictures instead of video, as a feed of this machine. */
export class PictureSource {
  readonly #options: PictureSourceOptions;

  constructor(options: PictureSourceOptions) {
    this.#options = options;
  }

  /** Listens until abort. Never rejects: if nothing arrives, the source counts as silent. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#take(signal);
    } catch (error) {
      const { feed, log } = this.#options;
      log.error({ err: error, feed }, 'the pictures of a source cannot be taken');
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    const { feed, socketPath, publish, onFrames, log } = this.#options;
    let framesTotal = 0;
    let refused = 0;
    let publication: JpegPublication | null = null;
    await using _intake = await new PictureIntake({
      path: socketPath,
      onPicture: (picture) => {
        framesTotal += 1;
        publication ??= publish(feed);
        if (publication.frame(picture) !== null) refused += 1;
        onFrames(framesTotal);
      },
      logger: log,
    }).open();
    await ended(signal);
    (publication as JpegPublication | null)?.[Symbol.dispose]();
    if (refused > 0) log.info({ feed, pictures: refused }, 'pictures of a source were left out');
  }
}

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
