import type { Logger } from 'pino';
import type { KeyStore } from '../system/key-store.ts';
import { AdoptionDesk, AdoptionError } from './adoption-desk.ts';
import { CameraRegistry } from './camera-registry.ts';

export interface HubSideOptions {
  readonly hub: { readonly id: string; readonly name: () => string };
  readonly keys: KeyStore;
  readonly fingerprint: () => string | null;
  readonly takeRunning: () => boolean;
  /** What runs as long as this machine is a hub. */
  readonly alongside: (signal: AbortSignal) => Promise<void>;
  readonly onUnadopt: (cameraId: string) => Promise<void>;
  readonly onChange: () => void;
  readonly log: Logger;
}

/** What only a hub has: the links of its cameras, and the desk where new ones wait. */
export class HubSide {
  readonly cameras: CameraRegistry;
  readonly desk: AdoptionDesk;
  readonly #options: HubSideOptions;

  constructor(options: HubSideOptions) {
    const { keys, fingerprint, takeRunning, onChange, log } = options;
    const { id, name } = options.hub;
    // It may be renamed while it runs.
    const hub = {
      id,
      get name() {
        return name();
      },
    };
    this.#options = options;
    this.cameras = new CameraRegistry({ hub, takeRunning, log });
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
    await Promise.all([this.cameras.run(signal), this.#options.alongside(signal)]);
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
    await this.#options.onUnadopt(cameraId);
    this.#options.onChange();
  }

  /** Whether cameras belong to this hub, connected or not. */
  get hasCameras(): boolean {
    return this.#options.keys.list().some(({ role }) => role === 'camera') || this.cameras.list().length > 0;
  }

  /** Whether a camera records, also one that was started by its own button. */
  get isRecording(): boolean {
    return this.cameras
      .list()
      .some(({ online, recording }) => online && (recording === 'recording' || recording === 'starting'));
  }

  async #revoke(cameraId: string): Promise<void> {
    const { keys } = this.#options;
    for (const key of keys.list()) {
      if (key.role === 'camera' && key.subject === cameraId) await keys.revoke(key.id);
    }
  }
}
