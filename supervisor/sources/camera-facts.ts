import type { Device } from '../contract/index.ts';
import type { CameraFact } from '../roles/index.ts';

/** The facts about plugged-in cameras that the decision about pipelines needs. */
export function cameraFacts(devices: readonly Device[]): CameraFact[] {
  const modules = devices.filter(({ kind, path }) => kind === 'libcamera' && path === null);
  return devices.flatMap((device): CameraFact[] => {
    const { id, name, path, byId, byPath } = device;
    const number = modules.indexOf(device);
    if (number >= 0) return [{ id, kind: 'rpicam', aliases: [], address: String(number), label: name }];
    if (device.kind !== 'v4l2' || path === null) return [];
    const aliases = [path, byId, byPath].filter((one) => one !== null);
    // The by-id link stays the same when the camera is plugged in again, so an unchanged camera never restarts its pipeline.
    return [{ id, kind: 'v4l2', aliases, address: byId ?? byPath ?? path, label: name }];
  });
}
