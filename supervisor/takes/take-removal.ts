import type { Logger } from 'pino';
import { errorCode } from '../../common/errors.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import type { TakeBook } from './take-book.ts';
import { asRemoved, isAtWork, isOwn, isRunning } from './take-state.ts';

/** What removal needs. */
export interface TakeRemovalOptions {
  readonly book: TakeBook;
  /** Removes the masters of this machine. Rejects with TAKE_NOT_FOUND, TAKE_UNFINISHED or TAKE_NOT_REMOVED. */
  readonly local: { remove(takeId: string): Promise<void> };
  readonly log: Logger;
}

/** Removes takes for good, as far as they lie on this machine. */
export class TakeRemoval {
  readonly #options: TakeRemovalOptions;
  readonly #removing = new Map<string, Promise<void>>();

  constructor(options: TakeRemovalOptions) {
    this.#options = options;
  }

  /**
   * Decides at once whether a take may be removed, and settles once it is. Rejects with TAKE_UNKNOWN, TAKE_UNFINISHED,
   * MASTER_ELSEWHERE or TAKE_NOT_REMOVED.
   */
  begin(id: string): Promise<void> {
    const removal = this.#removing.get(id) ?? this.#remove(id).finally(() => this.#removing.delete(id));
    this.#removing.set(id, removal);
    removal.catch((error: unknown) => {
      // The caller gets the error, unless that took too long.
      this.#options.log.warn({ err: error, take: id }, 'a take was not removed');
    });
    return removal;
  }

  async #remove(id: string): Promise<void> {
    const take = this.#options.book.get(id);
    const own = take.cameras.filter(isOwn);
    // A recorder that is still at work has reported no segment yet.
    const kept = take.cameras.filter((one) => !isOwn(one) && (one.segments > 0 || isAtWork(one)));
    if (isRunning(take) || own.some(isAtWork)) {
      throw new ApplianceError('TAKE_UNFINISHED', `Take ${id} is still being recorded or finished.`, {
        hint: 'Wait until it is verified.',
      });
    }
    const hasOwn = own.some(({ segments }) => segments > 0);
    if (!hasOwn && kept.length > 0) {
      const keepers = [...new Set(kept.map(({ device }) => device))].join(', ');
      throw new ApplianceError('MASTER_ELSEWHERE', `The masters of take ${id} are on ${keepers}.`, {
        hint: 'Delete them on the page of that appliance.',
      });
    }
    if (own.length > 0) await this.#removeOwn(id);
    this.#options.log.warn({ take: id, cameras: own.map(({ camera }) => camera) }, 'masters were removed');
    // Reported even if nothing is left: a hub has this take in its list, too.
    const left = this.#options.book.find(id) ?? take;
    this.#options.book.put({ ...left, cameras: left.cameras.map(asRemoved) });
    if (kept.length === 0) this.#options.book.drop(id);
  }

  /** Masters that are already gone, such as those of a take that failed before its first frame, are no obstacle. */
  async #removeOwn(id: string): Promise<void> {
    try {
      await this.#options.local.remove(id);
    } catch (error) {
      if (errorCode(error) !== 'TAKE_NOT_FOUND') throw error;
    }
  }
}
