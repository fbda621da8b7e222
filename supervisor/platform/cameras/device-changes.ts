import { isDeepStrictEqual } from 'node:util';
import type { ApiEvent, Device } from '../../contract/index.ts';

/** An event about a camera that came, went or changed. */
export type DeviceEvent = Extract<ApiEvent, { type: `device-${string}` }>;

/** What happened between two listings: removals first, so that a camera in another port never appears twice. */
export function deviceChanges(before: readonly Device[], after: readonly Device[]): DeviceEvent[] {
  const old = new Map(before.map((device) => [device.id, device]));
  const now = new Set(after.map(({ id }) => id));
  const removed = before.filter(({ id }) => !now.has(id));
  const changed = after.filter((device) => {
    const known = old.get(device.id);
    return known !== undefined && !isDeepStrictEqual(known, device);
  });
  const added = after.filter(({ id }) => !old.has(id));
  return [
    ...removed.map(({ id }) => ({ type: 'device-removed' as const, id })),
    ...changed.map((device) => ({ type: 'device-changed' as const, device })),
    ...added.map((device) => ({ type: 'device-added' as const, device })),
  ];
}
