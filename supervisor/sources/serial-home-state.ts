import type { Logger } from 'pino';
import { z } from 'zod';
import type { StateSection, StateStore } from '../config/state.ts';
import type { HomeMemory, PinnedHomes } from '../platform/cameras/serial-homes.ts';

const serialHomesSection = {
  name: 'serialHomes',
  schema: z.object({
    bySerial: z.record(z.string(), z.object({ place: z.string(), id: z.string() })).default({}),
  }),
} as const satisfies StateSection<z.ZodObject>;

/** Remembers in the state which port a serial number belongs to that several cameras have. */
export class SerialHomeState implements HomeMemory {
  readonly #state: StateStore;
  readonly #log: Logger;

  constructor(state: StateStore, log: Logger) {
    this.#state = state;
    this.#log = log;
  }

  get(): PinnedHomes {
    return this.#state.get(serialHomesSection).bySerial;
  }

  set(homes: PinnedHomes): void {
    this.#state
      .update(serialHomesSection, () => ({ bySerial: { ...homes } }))
      .catch((error: unknown) => {
        this.#log.error({ err: error }, 'the ports of cameras with one serial number cannot be remembered');
      });
  }
}
