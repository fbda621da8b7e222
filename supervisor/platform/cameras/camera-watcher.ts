import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { describeError } from '../../../common/errors.ts';
import type { Device } from '../../contract/index.ts';
import { type RunCommand, runCommand } from '../run-command.ts';
import type { CameraEnumerator } from './camera-enumerator.ts';
import type { ControlValues } from './controls-patch.ts';
import { Debouncer } from './debouncer.ts';
import { type DeviceEvent, deviceChanges } from './device-changes.ts';
import { DeviceUnknownError } from './errors.ts';
import type { HotplugMonitor } from './hotplug-monitor.ts';
import { reapplyControls, setControls } from './set-controls.ts';

/** Control values that people set, by the camera's stable id; kept in the appliance's state. */
export interface ControlMemory {
  get(deviceId: string): ControlValues | undefined;
  set(deviceId: string, values: ControlValues): void;
}

/** What the watcher needs. */
export interface CameraWatcherOptions {
  readonly enumerator: CameraEnumerator;
  readonly hotplug: Pick<HotplugMonitor, 'run'>;
  readonly memory: ControlMemory;
  readonly log: Logger;
  readonly run?: RunCommand;
}

const quietMs = 150;
const latestMs = 450;
const retryMs = 1000;
const maxRetries = 3;

/** The cameras of this machine as they come and go, with the controls people set on them. */
export class CameraWatcher {
  readonly #options: CameraWatcherOptions;
  readonly #listeners = new Set<(event: DeviceEvent) => void>();
  readonly #retries = new Map<string, number>();
  #known: readonly Device[] = [];
  /** One at a time: a look in the middle of a change would see half of it. */
  readonly #inTurn = pLimit(1);

  constructor(options: CameraWatcherOptions) {
    this.#options = options;
  }

  /** Watches until abort. */
  async run(signal: AbortSignal): Promise<void> {
    using retry = new Debouncer(retryMs, retryMs, () => void this.#look(retry));
    using events = new Debouncer(quietMs, latestMs, () => void this.#look(retry));
    await this.#look(retry);
    await this.#options.hotplug.run(signal, () => events.note());
    await this.#inTurn(() => {});
  }

  /** The cameras at the last look, without looking again. */
  get known(): readonly Device[] {
    return this.#known;
  }

  /** Looks, reports changes to subscribers, and returns the cameras. */
  async list(): Promise<Device[]> {
    return await this.#inTurn(() => this.#update());
  }

  /** Looks soon, and reports changes to subscribers. */
  refresh(): void {
    this.list().catch((error: unknown) => {
      this.#options.log.warn(`cameras cannot be listed: ${describeError(error)}`);
    });
  }

  subscribe(listener: (event: DeviceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Sets controls, remembers them for the next plugging of the camera, and returns the camera as it is now.
   * @throws DeviceUnknownError, ControlInvalidError, ControlsUnsupportedError
   */
  async setControls(id: string, values: ControlValues): Promise<Device> {
    return await this.#inTurn(async () => {
      const device = find(await this.#update(), id);
      await setControls(device, values, this.#run(), () => this.#reread(device));
      const remembered = withoutButtons(device, values);
      this.#options.memory.set(id, { ...this.#options.memory.get(id), ...remembered });
      return await this.#reread(device);
    });
  }

  /**
   * Sets each of these controls that the camera takes now, remembers them as if a person had set them, and returns why others were not
   * set. Those whose automatic is on are remembered alone.
   * @throws DeviceUnknownError
   */
  async applyControls(id: string, values: ControlValues): Promise<string[]> {
    return await this.#inTurn(async () => {
      const device = find(await this.#update(), id);
      const skipped = await reapplyControls(device, values, this.#run(), () => this.#fresh(device));
      const remembered = withoutButtons(device, values);
      this.#options.memory.set(id, { ...this.#options.memory.get(id), ...remembered });
      await this.#reread(device);
      return skipped;
    });
  }

  /** One look after events. A failure is logged: the next event looks again. */
  async #look(retry: Debouncer): Promise<void> {
    try {
      const devices = await this.list();
      if (this.#wantsRetry(devices)) retry.note();
    } catch (error) {
      this.#options.log.warn(`cameras cannot be listed: ${describeError(error)}`);
    }
  }

  async #update(): Promise<Device[]> {
    const devices = await this.#options.enumerator.list();
    const changes = deviceChanges(this.#known, devices);
    this.#known = devices;
    for (const change of changes) this.#tell(change);
    let applied = false;
    for (const change of changes) {
      if (change.type === 'device-added' && (await this.#reapply(change.device))) applied = true;
    }
    return applied ? await this.#update() : devices;
  }

  #tell(event: DeviceEvent): void {
    const { log } = this.#options;
    if (event.type === 'device-removed') log.info({ camera: event.id }, 'camera unplugged');
    else if (event.type === 'device-added') {
      log.info(
        { camera: event.device.id, name: event.device.name, note: event.device.note },
        'camera plugged in',
      );
    }
    for (const listener of this.#listeners) listener(event);
  }

  async #reapply(device: Device): Promise<boolean> {
    const values = this.#options.memory.get(device.id);
    if (values === undefined || device.path === null || device.controls.length === 0) return false;
    const skipped = await reapplyControls(device, values, this.#run(), () => this.#fresh(device));
    if (skipped.length > 0)
      this.#options.log.warn({ camera: device.id, skipped }, 'some controls could not be restored');
    this.#options.enumerator.forget(device.path);
    return true;
  }

  /** The camera after a change of its controls, which is reported to subscribers. */
  async #reread(device: Device): Promise<Device> {
    if (device.path !== null) this.#options.enumerator.forget(device.path);
    return find(await this.#update(), device.id);
  }

  async #fresh(device: Device): Promise<Device> {
    if (device.path !== null) this.#options.enumerator.forget(device.path);
    return find(await this.#options.enumerator.list(), device.id);
  }

  /**
   * A camera that did not answer is asked again a few times: some cameras need a second after plugging, libcamera more at boot.
   */
  #wantsRetry(devices: readonly Device[]): boolean {
    const silent = devices.filter(({ note }) => /^(does not answer|needs libcamera)/.test(note ?? ''));
    const ids = new Set(silent.map(({ id }) => id));
    for (const id of this.#retries.keys()) if (!ids.has(id)) this.#retries.delete(id);
    const due = silent.filter(({ id }) => (this.#retries.get(id) ?? 0) < maxRetries);
    for (const { id, path } of due) {
      this.#retries.set(id, (this.#retries.get(id) ?? 0) + 1);
      if (path !== null) this.#options.enumerator.forget(path);
    }
    return due.length > 0;
  }

  #run(): RunCommand {
    return this.#options.run ?? runCommand;
  }
}

function find(devices: readonly Device[], id: string): Device {
  const device = devices.find((candidate) => candidate.id === id);
  if (device === undefined) throw new DeviceUnknownError(id);
  return device;
}

function withoutButtons(device: Device, values: ControlValues): ControlValues {
  const buttons = new Set(device.controls.filter(({ kind }) => kind === 'button').map(({ id }) => id));
  return Object.fromEntries(Object.entries(values).filter(([id]) => !buttons.has(id)));
}
