import type { Logger } from 'pino';
import { messageOf } from '../../common/errors.ts';
import { nearestKey } from '../config/nearest-key.ts';
import type { Device } from '../contract/index.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import { type ControlValues, checkControls } from '../platform/cameras/controls-patch.ts';
import { ControlInvalidError } from '../platform/cameras/errors.ts';
import type { DesiredPipeline } from '../roles/index.ts';

/** Which values of the settings a camera has got, by its stable id; kept in the appliance's state. */
export interface AppliedControls {
  applied(deviceId: string): ControlValues | undefined;
  noteApplied(deviceId: string, values: ControlValues): void;
}

/** What the controls from the settings need. */
export interface SettingControlsOptions {
  readonly cameras: Pick<CameraWatcher, 'known' | 'applyControls'>;
  readonly memory: AppliedControls;
  readonly log: Logger;
}

/**
 * Brings cameras to what `controls` of their `[[source]]` says. A value is set when it is new or was changed; what somebody sets on
 * the page after that counts from then on. The watcher restores both when the camera is plugged again.
 */
export class SettingControls {
  readonly #options: SettingControlsOptions;
  #refused = new Map<string, string>();

  constructor(options: SettingControlsOptions) {
    this.#options = options;
  }

  /** Never rejects: what a camera refuses is in the note of its source. */
  async apply(pipelines: readonly DesiredPipeline[]): Promise<void> {
    const refused = new Map<string, string>();
    for (const { source, camera } of pipelines) {
      const device = this.#options.cameras.known.find(({ id }) => id === camera?.id);
      const values = 'controls' in source ? source.controls : {};
      // A camera that does not tell its controls says so itself, and is looked at again.
      if (device === undefined || device.controls.length === 0 || Object.keys(values).length === 0) continue;
      const findings = await this.#bring(device, values);
      if (findings.length > 0) refused.set(source.id, `controls: ${findings.join('; ')}`);
    }
    for (const [source, reason] of refused) {
      if (this.#refused.get(source) !== reason)
        this.#options.log.error({ source, reason }, 'controls are not set');
    }
    this.#refused = refused;
  }

  /** What is wrong with the controls of a source; null: nothing. */
  noteOf(source: string): string | null {
    return this.#refused.get(source) ?? null;
  }

  /** Sets what changed, and returns what the camera rejects. */
  async #bring(device: Device, values: ControlValues): Promise<string[]> {
    const { cameras, memory, log } = this.#options;
    const refused = refusedControls(device, values);
    const before = memory.applied(device.id) ?? {};
    const due = Object.entries(values).filter(([id, value]) => !refused.has(id) && before[id] !== value);
    const findings = [...refused].map(([id, message]) => `${id}: ${message}`);
    if (due.length === 0) return findings;
    const skipped = await cameras
      .applyControls(device.id, Object.fromEntries(due))
      .catch((error: unknown) => {
        log.warn({ err: error, camera: device.id }, 'the controls of a camera cannot be set');
        return [messageOf(error)];
      });
    if (skipped.length === 0) memory.noteApplied(device.id, { ...before, ...Object.fromEntries(due) });
    return [...findings, ...skipped];
  }
}

/** What of these values the camera can never take, and why, by the control. Pure. */
function refusedControls(device: Device, values: ControlValues): Map<string, string> {
  try {
    checkControls(device, values);
    return new Map();
  } catch (error) {
    if (!(error instanceof ControlInvalidError)) throw error;
    const known = device.controls.map(({ id }) => ({ path: id, name: id, here: true }));
    return new Map(
      error.issues.map(({ path, message }) => {
        const isKnown = known.some(({ name }) => name === path);
        const nearest = isKnown ? undefined : nearestKey(path, known);
        return [path, nearest === undefined ? message : `${message}; the nearest is ${nearest}`];
      }),
    );
  }
}
