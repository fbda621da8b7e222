import type { LiveConfig } from '../config/live-config.ts';
import type { Adjust } from '../contract/index.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import { targetKbps } from '../status/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';

/** What adjusting needs. */
export interface AdjustSurroundings {
  readonly config: Pick<LiveConfig, 'current' | 'patch'>;
  readonly cameras: Pick<CameraWatcher, 'known' | 'setControls'>;
  readonly takeRunning: () => boolean;
}

/**
 * Changes a setting of a source while it runs. Rejects with NOT_SUPPORTED_HERE if there is no such setting, with TAKE_RUNNING if
 * the change would interrupt a take, and with the errors of settings and camera about the value.
 */
export async function adjust(
  { source: id, setting, value }: Adjust,
  around: AdjustSurroundings,
): Promise<void> {
  const { config, cameras, takeRunning } = around;
  if (setting !== targetKbps) {
    const device = cameras.known.find(({ source }) => source === id);
    if (device === undefined) throw unsupported(`The source "${id}" has no camera with controls now.`);
    await cameras.setControls(device.id, { [setting]: value });
    return;
  }
  if (!config.current.file.source.some((one) => one.id === id && 'bitrate_kbps' in one)) {
    throw unsupported(`The source "${id}" of the settings has no bit rate.`);
  }
  if (takeRunning()) {
    throw new ApplianceError('TAKE_RUNNING', 'A new bit rate restarts the source, and a take is running.', {
      hint: 'Stop the take first.',
    });
  }
  await config.patch(({ source }) => ({
    source: source.map((one) => (one.id === id ? { ...one, bitrate_kbps: value } : one)),
  }));
}

function unsupported(message: string): ApplianceError {
  return new ApplianceError('NOT_SUPPORTED_HERE', message, { hint: 'GET /api/status lists `adjustables`.' });
}
