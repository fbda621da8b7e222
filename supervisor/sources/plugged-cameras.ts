import { z } from 'zod';
import type { Config, SourceConfig } from '../config/schema.ts';
import type { StateSection, StateStore } from '../config/state.ts';
import type { Device, UnpluggedDevice } from '../contract/index.ts';
import type { DevicePlace } from '../platform/cameras/camera-enumerator.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import {
  answerOffer,
  labelCamera,
  type ProxiedCameras,
  type ProxyDecision,
  proxiedCamerasSchema,
  proxyDecision,
} from '../platform/cameras/proxy-decision.ts';
import { ApplianceError } from '../system/appliance-error.ts';

/** What people chose for cameras, and the names they gave. */
export const pluggedSection = {
  name: 'cameras',
  schema: z.object({ plugged: proxiedCamerasSchema.default({}) }),
} as const satisfies StateSection<z.ZodObject>;

/** Cameras of this machine that no `[[source]]` names: which become feeds, and under which names. */
export class PluggedCameras {
  readonly #watcher: CameraWatcher;
  readonly #state: StateStore;
  #last: ProxyDecision | null = null;
  #labels: ReadonlyMap<string, string> = new Map();
  #auto = false;

  constructor(watcher: CameraWatcher, state: StateStore) {
    this.#watcher = watcher;
    this.#state = state;
  }

  /** Decides again, and keeps the names it gave. */
  async sources(config: Config): Promise<readonly SourceConfig[]> {
    const decide = (plugged: ProxiedCameras) => {
      this.#last = proxyDecision(this.#watcher.known, config, plugged);
      return this.#last;
    };
    const { plugged } = this.#state.get(pluggedSection);
    const decision = decide(plugged);
    this.#labels = new Map(
      config.source.flatMap(({ id, label }) => (label === undefined ? [] : [[id, label]])),
    );
    this.#auto = config.devices.adopt === 'auto';
    if (JSON.stringify(decision.state) !== JSON.stringify(plugged)) {
      // Decided once more in turn: what a person chose a moment ago may still be on its way to the disk.
      await this.#state.update(pluggedSection, (now) => ({ plugged: { ...decide(now.plugged).state } }));
    }
    return this.decided;
  }

  /** The last decision. */
  get decided(): readonly SourceConfig[] {
    return this.#last?.sources ?? [];
  }

  /** What the appliance makes of a camera, by the last decision. */
  placeOf({ id, name }: Device): DevicePlace {
    const source = this.#last?.sourceOf.get(id) ?? null;
    const proxied = this.#last?.sources.some((one) => one.id === source) ?? false;
    const named = source === null || proxied ? null : this.#labels.get(source);
    const label = named ?? this.#plugged.get(id)?.label ?? name;
    if (source !== null) return { source, label, use: proxied ? 'used' : 'settings' };
    return { source, label, use: this.#last?.offered.includes(id) ? 'offered' : 'unused' };
  }

  /** Cameras that would be used but are not plugged in. */
  unplugged(): UnpluggedDevice[] {
    const here = new Set(this.#watcher.known.map(({ id }) => id));
    return [...this.#plugged]
      .filter(([id, { answer }]) => !here.has(id) && (answer === 'yes' || (answer === null && this.#auto)))
      .map(([id, { label, feed }]) => ({ id, label, feed }));
  }

  /** A person's choice about a camera that was offered, or is used. Rejects with DEVICE_UNKNOWN. */
  async use(deviceId: string, use: boolean, config: Config): Promise<void> {
    const device = await this.#find(deviceId);
    await this.#update((plugged) => answerOffer(plugged, device, use ? 'yes' : 'no', config));
  }

  /** Another name for people; the feed keeps its id. Rejects with DEVICE_UNKNOWN, DEVICE_IN_SETTINGS. */
  async label(deviceId: string, label: string, config: Config): Promise<void> {
    const device = await this.#find(deviceId);
    const { source, use } = this.placeOf(device);
    if (use === 'settings') {
      throw new ApplianceError(
        'DEVICE_IN_SETTINGS',
        `This camera is the source "${source}" of rushlight.toml, which names it.`,
        { hint: 'Set label = "…" in its [[source]] there.' },
      );
    }
    await this.#update((plugged) => labelCamera(plugged, device, label, config));
  }

  /** Forgets the choice about a camera and its name. Rejects with DEVICE_UNKNOWN. */
  async forget(deviceId: string): Promise<void> {
    if (!this.#plugged.has(deviceId)) throw unknown(deviceId);
    await this.#update(({ [deviceId]: _gone, ...rest }) => rest);
  }

  get #plugged(): ReadonlyMap<string, ProxiedCameras[string]> {
    return new Map(Object.entries(this.#state.get(pluggedSection).plugged));
  }

  async #find(deviceId: string): Promise<Device> {
    const device = (await this.#watcher.list()).find(({ id }) => id === deviceId);
    if (device === undefined) throw unknown(deviceId);
    return device;
  }

  async #update(change: (plugged: ProxiedCameras) => ProxiedCameras): Promise<void> {
    await this.#state.update(pluggedSection, ({ plugged }) => ({ plugged: { ...change(plugged) } }));
  }
}

function unknown(deviceId: string): ApplianceError {
  return new ApplianceError('DEVICE_UNKNOWN', `There is no camera "${deviceId}".`);
}
