import type { LinkedCamera, Status } from '../../../contract/index.ts';
import { type PageRoute, toHash } from '../app/page-route.ts';

/** Address of a linked camera's own page, with its devices, its controls and its masters; null while it is away. */
export const cameraPageUrl = ({ online, address }: LinkedCamera, route: PageRoute): string | null => {
  // A browser accepts no zone in an address (`fe80::1%eth0`).
  if (!online || address === '' || address.includes('%')) return null;
  const host = address.includes(':') ? `[${address}]` : address;
  return `http://${host}/${toHash(route)}`;
};

/** The linked camera that a take names as `device`, by its name or, if it had none then, by its id. */
export const cameraOfDevice = (status: Status, device: string): LinkedCamera | null =>
  status.cameras.find(({ id, name }) => id === device || name === device) ?? null;
