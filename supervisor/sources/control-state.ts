import type { Logger } from 'pino';
import { z } from 'zod';
import type { StateSection, StateStore } from '../config/state.ts';
import type { ControlMemory } from '../platform/cameras/camera-watcher.ts';
import type { AppliedControls } from './setting-controls.ts';

const valueSchema = z.union([z.number(), z.boolean(), z.string()]);

/** The controls that people set, by camera. */
export const controlsSection = {
  name: 'controls',
  schema: z.object({
    byDevice: z.record(z.string(), z.record(z.string(), valueSchema)).default({}),
    /** What each camera has got from the settings: only a change there counts more than what people set since. */
    fromSettings: z.record(z.string(), z.record(z.string(), valueSchema)).default({}),
  }),
} as const satisfies StateSection<z.ZodObject>;

type Part = 'byDevice' | 'fromSettings';
type Values = Record<string, z.infer<typeof valueSchema>>;

/** Remembers in the state what people and the settings set on each camera. */
export class ControlState implements ControlMemory, AppliedControls {
  readonly #state: StateStore;
  readonly #log: Logger;
  /** What was set a moment ago counts at once, also before it is on disk. */
  readonly #newest: Record<Part, Map<string, Values>> = { byDevice: new Map(), fromSettings: new Map() };

  constructor(state: StateStore, log: Logger) {
    this.#state = state;
    this.#log = log;
  }

  get(deviceId: string): Values | undefined {
    return this.#read(deviceId, 'byDevice');
  }

  set(deviceId: string, values: Readonly<Values>): void {
    this.#keep(deviceId, 'byDevice', values);
  }

  applied(deviceId: string): Values | undefined {
    return this.#read(deviceId, 'fromSettings');
  }

  noteApplied(deviceId: string, values: Readonly<Values>): void {
    this.#keep(deviceId, 'fromSettings', values);
  }

  #read(deviceId: string, part: Part): Values | undefined {
    return this.#newest[part].get(deviceId) ?? this.#state.get(controlsSection)[part][deviceId];
  }

  #keep(deviceId: string, part: Part, values: Readonly<Values>): void {
    this.#newest[part].set(deviceId, { ...values });
    this.#state
      .update(controlsSection, (before) => ({
        ...before,
        [part]: { ...before[part], [deviceId]: { ...values } },
      }))
      .catch((error: unknown) => {
        this.#log.error({ err: error, device: deviceId }, 'the controls of a camera cannot be remembered');
      });
  }
}
