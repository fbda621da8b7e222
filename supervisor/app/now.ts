import type { CameraRole } from '../camera/index.ts';
import type { HubLink, MqttLink, Take } from '../contract/index.ts';
import type { HubRole } from '../hub/index.ts';
import type { Reach } from '../system/reach.ts';

/** What this machine is, with the parts that only that role has. Until the first settings are applied it is neither. */
export type ActiveRole =
  | { readonly kind: 'starting' }
  | { readonly kind: 'hub'; readonly hub: HubRole }
  | { readonly kind: 'camera'; readonly camera: CameraRole };

/** Parts that others ask about before they exist. */
export interface NowParts {
  readonly conductor: { current(): Take | null };
  readonly http: { readonly reach: Reach | null };
  readonly telemetry: { readonly link: MqttLink | null };
  readonly reconciler: { apply(): Promise<void> };
}

/**
 * Answers what parts ask about others that are made after them, so that no part holds a reference to a later one. It is made
 * first; `connect` is called once all parts exist. Before that it answers like an appliance that has just started.
 */
export class Now {
  #parts: NowParts | null = null;
  #role: ActiveRole = { kind: 'starting' };

  connect(parts: NowParts): void {
    this.#parts = parts;
  }

  get role(): ActiveRole {
    return this.#role;
  }

  /** Only the reconciler sets it. */
  become(role: ActiveRole): void {
    this.#role = role;
  }

  get isHub(): boolean {
    return this.#role.kind === 'hub';
  }

  /** The camera's own part; null on a hub. */
  get camera(): CameraRole | null {
    return this.#role.kind === 'camera' ? this.#role.camera : null;
  }

  /** The link to the hub; null on a hub. */
  get hubLink(): HubLink | null {
    return this.camera?.link ?? null;
  }

  /** Where page and API are served; null while they are not. */
  get reach(): Reach | null {
    return this.#parts?.http.reach ?? null;
  }

  /** The link to the broker; null while the settings name none. */
  get mqtt(): MqttLink | null {
    return this.#parts?.telemetry.link ?? null;
  }

  /** Applies the settings now; settles once that is done. */
  async apply(): Promise<void> {
    await this.#parts?.reconciler.apply();
  }

  /** Whether this machine records, or conducts a take. */
  get recording(): boolean {
    return (this.#parts?.conductor.current() ?? null) !== null;
  }

  /** Whether a take runs here, or anywhere that a restart or an update of this machine would hurt. */
  get takeRunning(): boolean {
    if (this.recording) return true;
    if (this.#role.kind === 'hub') return this.#role.hub.isRecording;
    return this.camera?.hubTakes === true;
  }
}
