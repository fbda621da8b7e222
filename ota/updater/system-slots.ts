import type { Logger } from 'pino';
import { messageOf } from '../../common/errors.ts';
import { OtaError } from '../errors.ts';
import type { Rauc } from '../install/rauc.ts';
import type { SlotName } from '../selector/slot.ts';
import { readSlots, type Slots } from './slots.ts';
import type { UpdatePaths } from './types.ts';

/** The slots of this machine as they were last read, what RAUC says about their content, or why there are none to update. */
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

  /** Null if this machine cannot be updated. */
  get current(): Slots | null {
    return this.#read;
  }

  /** Why it cannot; null if it can. */
  get unsupported(): string | null {
    return this.#unsupported;
  }

  /** Versions by slot, as RAUC noted them when it wrote the slots; null for a slot it did not write. */
  get versions(): Readonly<Record<SlotName, string | null>> {
    return this.#versions;
  }

  /** @throws {OtaError} `UPDATE_UNSUPPORTED` */
  need(): Slots {
    if (this.#read !== null) return this.#read;
    throw new OtaError('UPDATE_UNSUPPORTED', this.#unsupported ?? 'not supported here');
  }

  /** @throws {OtaError} `STORE_FAILED` if a file of the selector cannot be read */
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

  /** If RAUC does not answer, its last answer stays. */
  async readVersions(signal: AbortSignal): Promise<void> {
    try {
      this.#versions = (await this.#rauc.status(signal)).versions;
    } catch (error) {
      signal.throwIfAborted();
      this.#logger.warn({ err: error }, 'RAUC does not report the content of the slots');
    }
  }
}
