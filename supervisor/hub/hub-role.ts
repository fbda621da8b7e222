import type { Logger } from 'pino';
import type { StateStore } from '../config/state.ts';
import type { KeyStore } from '../system/key-store.ts';
import { AdoptionDesk, AdoptionError } from './adoption-desk.ts';
import { CameraKeys } from './camera-keys.ts';
import { CameraRegistry } from './camera-registry.ts';

/** What the hub's side needs of the appliance. */
export interface HubRoleOptions {
  readonly hub: { readonly id: string; readonly name: () => string };
  readonly keys: KeyStore;
  readonly state: StateStore;
  readonly fingerprint: () => string | null;
  readonly takeRunning: () => boolean;
  /** A camera no longer belongs to this hub. */
  readonly onUnadopt: (cameraId: string) => void;
  readonly onChange: () => void;
  /** Reports to the owner what is wrong with a camera that wants to link; null once nothing is. */
  readonly onTrouble?: (reason: string | null) => void;
  readonly log: Logger;
}

/** A rejected camera tries again every few seconds: one that stopped trying is no longer a problem. */
const troubleMs = 30_000;

/** What only a hub has: the links of its cameras, and the desk where new ones wait. */
export class HubRole {
  readonly cameras: CameraRegistry;
  readonly desk: AdoptionDesk;
  readonly #options: HubRoleOptions;
  readonly #keys: CameraKeys;
  #trouble: NodeJS.Timeout | null = null;

  constructor(options: HubRoleOptions) {
    const { keys, state, fingerprint, takeRunning, onChange, log } = options;
    const { id, name } = options.hub;
    // The hub may be renamed while it runs.
    const hub = {
      id,
      get name() {
        return name();
      },
    };
    this.#options = options;
    const cameraKeys = new CameraKeys(keys, state, log);
    this.#keys = cameraKeys;
    this.cameras = new CameraRegistry({
      hub,
      takeRunning,
      log,
      claim: (keyId, camera) => cameraKeys.claim(keyId, camera),
      onRefused: ({ id, name: called }, reason) =>
        this.#tellTrouble(`The camera ${called} (${id}) is refused: ${reason}.`),
    });
    this.desk = new AdoptionDesk({
      hub,
      fingerprint,
      issueKey: (cameraId) => cameraKeys.issue(cameraId),
      isLinked: (cameraId) => this.cameras.isLinked(cameraId),
      onChange,
      log,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.cameras.subscribe({ changed: this.#options.onChange });
    await this.cameras.run(signal);
    unsubscribe();
    this.desk.close();
    this.#endTrouble();
  }

  /** Removes a camera's keys and ends its link. Rejects with CAMERA_UNKNOWN. */
  async unadopt(cameraId: string): Promise<void> {
    const linked = this.cameras.list().find(({ id }) => id === cameraId);
    if (!this.#keys.has(cameraId) && linked === undefined) {
      throw new AdoptionError('CAMERA_UNKNOWN', `No camera "${cameraId}" belongs to this hub.`);
    }
    await this.#keys.revoke({ id: cameraId, name: linked?.name ?? null });
    this.cameras.drop(cameraId, 'this camera was un-adopted');
    this.#options.onUnadopt(cameraId);
    this.#options.onChange();
  }

  /** Whether any camera belongs to this hub, connected or not. */
  get hasCameras(): boolean {
    return this.#options.keys.list().some(({ role }) => role === 'camera') || this.cameras.list().length > 0;
  }

  /** Whether any camera records, even if its own button started it. */
  get isRecording(): boolean {
    return this.cameras
      .list()
      .some(({ online, recording }) => online && (recording === 'recording' || recording === 'starting'));
  }

  #tellTrouble(reason: string): void {
    const { onTrouble } = this.#options;
    if (onTrouble === undefined) return;
    if (this.#trouble !== null) clearTimeout(this.#trouble);
    this.#trouble = setTimeout(() => this.#endTrouble(), troubleMs);
    onTrouble(reason);
  }

  #endTrouble(): void {
    if (this.#trouble === null) return;
    clearTimeout(this.#trouble);
    this.#trouble = null;
    this.#options.onTrouble?.(null);
  }
}
