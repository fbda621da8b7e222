import type { Logger } from 'pino';
import { messageOf, OtaError } from '../errors.ts';
import type { Rauc } from '../install/rauc.ts';
import type { SlotName } from '../selector/slot.ts';
import { readSlots, type Slots } from './slots.ts';
import type { UpdatePaths } from './types.ts';

/** The slots of this machine as they were read last, what RAUC says lies in them, or why there are none to update. */
export class SystemSlots {
  readonly #paths: UpdatePaths;
  readonly #rauc: Rauc;
  readonly #logger: Logger;
  #read: Slots | null = null;
  #unsupported: string | null = 'It is not known yet whether this machine can be updated.';
  #versions: Readonly<Record<SlotName, string | null>> = { A: null, B: null };

  constructor(paths: UpdatePaths, rauc: Rauc, logger: Logger) {
    this.#paths = paths;
    this.#rauc = rauc;
    this.#logger = logger;
  }

  /** Null where this machine cannot be updated. */
  get current(): Slots | null {
    return this.#read;
  }

  /** Why it cannot; null where it can. */
  get unsupported(): string | null {
    return this.#unsupported;
  }

  /** Versions by slot, as RAUC noted them when it wrote the slots; null where it wrote none. */
  get versions(): Readonly<Record<SlotName, string | null>> {
    return this.#versions;
  }

  /** @throws {OtaError} `UPDATE_UNSUPPORTED` */
  need(): Slots {
    if (this.#read !== null) return this.#read;
    throw new OtaError('UPDATE_UNSUPPORTED', this.#unsupported ?? 'not supported here');
  }

  /** @throws {OtaError} `STORE_FAILED` where a file of the selector cannot be read */
  async read(): Promise<Slots | null> {
    try {
      const slots = await readSlots(this.#paths);
      this.#read = typeof slots === 'string' ? null : slots;
      this.#unsupported = typeof slots === 'string' ? slots : null;
    } catch (error) {
      if (this.#read === null) this.#unsupported = messageOf(error);
      throw error;
    }
    return this.#read;
  }

  /** Where RAUC does not answer, what it said last stays. */
  async readVersions(signal: AbortSignal): Promise<void> {
    try {
      this.#versions = (await this.#rauc.status(signal)).versions;
    } catch (error) {
      signal.throwIfAborted();
      this.#logger.warn({ err: error }, 'RAUC does not say what lies in the slots');
    }
  }
}
