import { z } from 'zod';
import type { Device } from '../api/contract.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import type { StateSection, StateStore } from '../config/state.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import {
  answerOffer,
  type ProxyDecision,
  proxiedCamerasSchema,
  proxyDecision,
} from '../platform/cameras/proxy-decision.ts';
import { ApplianceError } from './appliance-error.ts';

export const pluggedSection = {
  name: 'cameras',
  schema: z.object({ plugged: proxiedCamerasSchema.default({}) }),
} as const satisfies StateSection<z.ZodObject>;

/** Cameras of this machine that no `[[source]]` names: which become feeds, and under which names. */
export class PluggedCameras {
  readonly #watcher: CameraWatcher;
  readonly #state: StateStore;
  #last: ProxyDecision | null = null;

  constructor(watcher: CameraWatcher, state: StateStore) {
    this.#watcher = watcher;
    this.#state = state;
  }

  /** Decides anew, and keeps the names it gave. */
  async sources(config: Config): Promise<readonly SourceConfig[]> {
    const { plugged } = this.#state.get(pluggedSection);
    const decision = proxyDecision(this.#watcher.known, config, plugged);
    this.#last = decision;
    if (JSON.stringify(decision.state) !== JSON.stringify(plugged)) {
      await this.#state.update(pluggedSection, () => ({ plugged: { ...decision.state } }));
    }
    return decision.sources;
  }

  /** The source a camera belongs to; null where it is not used. */
  sourceOf(deviceId: string): string | null {
    return this.#last?.sourceOf.get(deviceId) ?? null;
  }

  /** A person's word on a camera that was offered, or is used. Rejects with DEVICE_UNKNOWN. */
  async use(deviceId: string, use: boolean, config: Config): Promise<Device> {
    const device = (await this.#watcher.list()).find(({ id }) => id === deviceId);
    if (device === undefined) {
      throw new ApplianceError('DEVICE_UNKNOWN', `There is no camera "${deviceId}".`);
    }
    await this.#state.update(pluggedSection, ({ plugged }) => ({
      plugged: { ...answerOffer(plugged, device, use ? 'yes' : 'no', config) },
    }));
    return device;
  }
}
