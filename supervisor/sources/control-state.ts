import type { Logger } from 'pino';
import { z } from 'zod';
import type { StateSection, StateStore } from '../config/state.ts';
import type { ControlMemory } from '../platform/cameras/camera-watcher.ts';

const valueSchema = z.union([z.number(), z.boolean(), z.string()]);

/** The controls that people set, by camera. */
export const controlsSection = {
  name: 'controls',
  schema: z.object({ byDevice: z.record(z.string(), z.record(z.string(), valueSchema)).default({}) }),
} as const satisfies StateSection<z.ZodObject>;

type Values = Record<string, z.infer<typeof valueSchema>>;

/** Remembers in the state what people set on each camera. */
export class ControlState implements ControlMemory {
  readonly #state: StateStore;
  readonly #log: Logger;

  constructor(state: StateStore, log: Logger) {
    this.#state = state;
    this.#log = log;
  }

  get(deviceId: string): Values | undefined {
    return this.#state.get(controlsSection).byDevice[deviceId];
  }

  set(deviceId: string, values: Readonly<Values>): void {
    this.#state
      .update(controlsSection, ({ byDevice }) => ({ byDevice: { ...byDevice, [deviceId]: { ...values } } }))
      .catch((error: unknown) => {
        this.#log.error({ err: error, device: deviceId }, 'the controls of a camera cannot be remembered');
      });
  }
}
