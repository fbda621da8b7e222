import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { DiskSilentError, gateOf } from '../../common/disk-gate.ts';

/** The space of one file system, as it last answered. */
export interface Space {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Seconds since a disk that does not answer was asked; absent: it answers. */
  readonly silentS?: number;
}

/** A healthy disk answers from memory, in microseconds. */
const answerMs = 250;

/**
 * Asks disks how much space they have. A disk that hangs has one question outstanding, whatever happens: its last answer stays,
 * with the time for which it has been silent.
 */
export class DiskSpace {
  readonly #logger: Logger;
  readonly #known = new Map<string, Omit<Space, 'silentS'>>();
  readonly #outstanding = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The last answer; null if there is none. */
  of(mount: string): Space | null {
    const known = this.#known.get(mount);
    if (known === undefined) return null;
    const { silentMs } = gateOf(mount);
    return silentMs === null ? known : { ...known, silentS: Math.floor(silentMs / 1000) };
  }

  /** Asks each of these disks again. Settles once all have answered, or after a quarter of a second. Never rejects. */
  async look(mounts: readonly string[]): Promise<void> {
    for (const gone of [...this.#known.keys()].filter((one) => !mounts.includes(one)))
      this.#known.delete(gone);
    const questions = Promise.all(mounts.map((mount) => this.#ask(mount)));
    await Promise.race([questions, sleep(answerMs, undefined, { ref: false })]);
  }

  async #ask(mount: string): Promise<void> {
    if (this.#outstanding.has(mount)) return;
    this.#outstanding.add(mount);
    let wasAsked = false;
    const question = () => {
      wasAsked = true;
      return statfs(mount).finally(() => this.#outstanding.delete(mount));
    };
    try {
      const { blocks, bavail, bsize } = await gateOf(mount).run(question);
      this.#known.set(mount, { totalBytes: blocks * bsize, freeBytes: bavail * bsize });
    } catch (error) {
      if (!wasAsked) this.#outstanding.delete(mount);
      if (error instanceof DiskSilentError) return;
      // A disk that was pulled meanwhile does not count.
      this.#known.delete(mount);
      this.#logger.debug({ err: error, mount }, 'a disk does not report its space');
    }
  }
}
