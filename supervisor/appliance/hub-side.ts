import type { Logger } from 'pino';
import type { KeyStore } from '../api/access/key-store.ts';
import { AdoptionDesk, AdoptionError } from '../discovery/adoption-desk.ts';
import { CameraRegistry } from '../discovery/camera-registry.ts';

export interface HubSideOptions {
  readonly hub: { readonly id: string; readonly name: string };
  readonly keys: KeyStore;
  readonly fingerprint: () => string | null;
  readonly onChange: () => void;
  readonly log: Logger;
}

/** What only a hub has: the links of its cameras, and the desk where new ones wait. */
export class HubSide {
  readonly cameras: CameraRegistry;
  readonly desk: AdoptionDesk;
  readonly #options: HubSideOptions;

  constructor(options: HubSideOptions) {
    const { hub, keys, fingerprint, onChange, log } = options;
    this.#options = options;
    this.cameras = new CameraRegistry({ hub, log });
    this.desk = new AdoptionDesk({
      hub,
      fingerprint,
      issueKey: async (cameraId) => {
        await this.#revoke(cameraId);
        return (await keys.create('camera', cameraId)).token;
      },
      onChange,
      log,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.cameras.subscribe({ changed: this.#options.onChange });
    await this.cameras.run(signal);
    unsubscribe();
    this.desk.close();
  }

  /** Takes a camera's keys away and ends its link. Rejects with CAMERA_UNKNOWN. */
  async unadopt(cameraId: string): Promise<void> {
    const known =
      this.#options.keys.list().some(({ role, subject }) => role === 'camera' && subject === cameraId) ||
      this.cameras.list().some(({ id }) => id === cameraId);
    if (!known) throw new AdoptionError('CAMERA_UNKNOWN', `No camera "${cameraId}" belongs to this hub.`);
    await this.#revoke(cameraId);
    this.cameras.drop(cameraId, 'this camera was un-adopted');
    this.#options.onChange();
  }

  async #revoke(cameraId: string): Promise<void> {
    const { keys } = this.#options;
    for (const key of keys.list()) {
      if (key.role === 'camera' && key.subject === cameraId) await keys.revoke(key.id);
    }
  }
}
