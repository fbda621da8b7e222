import type { SerialHomes } from './serial-homes.ts';
import type { VideoNode } from './video-nodes.ts';

/**
 * Ids of video nodes that survive replugging and reboots, by node. A USB camera with a serial number of its own is named by it
 * (udev's by-id), whatever port it is in; others by their port (by-path), because by-id would mix up twins. If there is no
 * udev, the same is derived from sysfs. No two nodes share an id.
 */
export function stableIds(nodes: readonly VideoNode[], homes: SerialHomes): Map<string, string> {
  const serials = homes.settle(nodes);
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const named = nodes.toSorted((a, b) => Number(!serials.has(a.node)) - Number(!serials.has(b.node)));
  for (const node of named) {
    const candidates = [serials.get(node.node), ...places(node), node.node];
    const id = candidates.find((one) => one !== undefined && !taken.has(one)) ?? node.node;
    taken.add(id);
    ids.set(node.node, id);
  }
  return ids;
}

/** Ids by its port, in order of preference. */
function places(node: VideoNode): string[] {
  const place = node.byPath ?? `${node.devicePath.split('/').slice(-2).join('-')}${suffix(node)}`;
  return [withoutIndex(place), place];
}

/** The first node of a device has no number: people see it as the device. */
function withoutIndex(name: string): string {
  return name.replace(/-video-index0$/, '');
}

function suffix(node: VideoNode): string {
  return node.index === 0 ? '' : `-video-index${node.index}`;
}

/**
 * Id of a camera module: the end of its path in the device tree, `i2c@88000-imx708@1a`. The part before it changes with kernels
 * (`pcie@120000`, `pcie@1000120000`).
 */
export function libcameraId(path: string): string {
  return `libcamera-${path.split('/').filter(Boolean).slice(-2).join('-')}`;
}
