import { join } from 'node:path';
import type { Logger } from 'pino';
import { lstat } from '../../../common/disk-fs.ts';
import { gateOf } from '../../../common/disk-gate.ts';
import { manifestName } from './take.ts';

/** Takes that are not finished because their disk did not answer. */
export class SilencedTakes {
  /** Their folders, by id. */
  readonly #folders = new Map<string, string>();
  #next = Promise.withResolvers<void>();

  /** Resolves with the next take that is added. */
  get added(): Promise<void> {
    return this.#next.promise;
  }

  get size(): number {
    return this.#folders.size;
  }

  has(id: string): boolean {
    return this.#folders.has(id);
  }

  add(id: string, folder: string): void {
    this.#folders.set(id, folder);
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** Removes the takes whose disk answers again, and returns their ids. Never rejects. */
  async takeAnswered(logger: Logger): Promise<string[]> {
    const answered: string[] = [];
    for (const [id, folder] of this.#folders) {
      try {
        if (gateOf(folder).silentMs !== null) continue;
        // It may have been pulled meanwhile, and be plugged in again later.
        await lstat(join(folder, manifestName));
        this.#folders.delete(id);
        answered.push(id);
      } catch (error) {
        logger.debug({ err: error, take: id }, 'the disk of a take is still not back');
      }
    }
    return answered;
  }
}
