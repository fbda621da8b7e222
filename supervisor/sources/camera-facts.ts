import type { Device } from '../contract/index.ts';
import type { CameraFact } from '../roles/facts.ts';

/** What deciding about pipelines needs of the cameras that are plugged in. */
export function cameraFacts(devices: readonly Device[]): CameraFact[] {
  const modules = devices.filter(({ kind, path }) => kind === 'libcamera' && path === null);
  return devices.flatMap((device): CameraFact[] => {
    const { id, name, path, byId, byPath } = device;
    const number = modules.indexOf(device);
    if (number >= 0) return [{ id, kind: 'rpicam', aliases: [], address: String(number), label: name }];
    if (device.kind !== 'v4l2' || path === null) return [];
    const aliases = [path, byId, byPath].filter((one) => one !== null);
    // The link by id stays the same over replugging, so that an unchanged camera never restarts its pipeline.
    return [{ id, kind: 'v4l2', aliases, address: byId ?? byPath ?? path, label: name }];
  });
}
