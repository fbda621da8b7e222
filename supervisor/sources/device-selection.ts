import type { LiveConfig } from '../config/live-config.ts';
import type { Device } from '../contract/index.ts';
import type { ApiPorts } from '../contract/ports.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import type { PluggedCameras } from './plugged-cameras.ts';

/** What the selection of cameras needs. */
export interface DeviceSelectionOptions {
  readonly cameras: CameraWatcher;
  readonly plugged: PluggedCameras;
  readonly config: LiveConfig;
  /** Applies the decision to the pipelines. */
  readonly apply: () => Promise<void>;
}

/** What people choose for plugged-in cameras. Each choice is in force before its answer is sent. */
export class DeviceSelection {
  readonly #options: DeviceSelectionOptions;

  constructor(options: DeviceSelectionOptions) {
    this.#options = options;
  }

  ports(): Pick<ApiPorts['devices'], 'use' | 'forget' | 'label' | 'unplugged'> {
    const { plugged, config, apply } = this.#options;
    return {
      use: async (id, use) => {
        await plugged.use(id, use, config.current.config);
        return await this.#applied(id);
      },
      label: async (id, label) => {
        await plugged.label(id, label, config.current.config);
        return await this.#applied(id);
      },
      forget: async (id) => {
        await plugged.forget(id);
        await apply();
      },
      unplugged: () => plugged.unplugged(),
    };
  }

  async #applied(id: string): Promise<Device> {
    await this.#options.apply();
    const device = (await this.#options.cameras.list()).find((one) => one.id === id);
    if (device === undefined) throw new ApplianceError('DEVICE_UNKNOWN', `The camera "${id}" was unplugged.`);
    return device;
  }
}
