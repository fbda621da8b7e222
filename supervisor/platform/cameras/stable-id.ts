import type { VideoNode } from './video-nodes.ts';

/**
 * Ids of video nodes that survive replugging and reboots, by node. A USB camera with a serial number is named by it (udev's
 * by-id), in any port; one without by its port (by-path), because by-id would confuse twins. Without udev, the same is derived
 * from sysfs. No two nodes share an id: of cameras with a false serial number, the one that udev names keeps it.
 */
export function stableIds(nodes: readonly VideoNode[]): Map<string, string> {
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const named = nodes.toSorted((a, b) => Number(a.byId === null) - Number(b.byId === null));
  for (const node of named) {
    const id = candidates(node).find((candidate) => !taken.has(candidate)) ?? node.node;
    taken.add(id);
    ids.set(node.node, id);
  }
  return ids;
}

/** Ids in order of preference. */
function candidates(node: VideoNode): string[] {
  const { usb } = node;
  const place = node.byPath ?? `${node.devicePath.split('/').slice(-2).join('-')}${suffix(node)}`;
  if (usb === null || usb.serial === '') return [withoutIndex(place), place];
  const derived = `usb-${usb.vendorId}:${usb.productId}:${safe(usb.serial)}${suffix(node)}`;
  return [withoutIndex(node.byId ?? derived), withoutIndex(place), place];
}

/** The first node of a device has no number: people see it as the device. */
function withoutIndex(name: string): string {
  return name.replace(/-video-index0$/, '');
}

function suffix(node: VideoNode): string {
  return node.index === 0 ? '' : `-video-index${node.index}`;
}

function safe(serial: string): string {
  return serial.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 64);
}

/**
 * Id of a camera module: the end of its path in the device tree, `i2c@88000-imx708@1a`. The part before it changes with kernels
 * (`pcie@120000`, `pcie@1000120000`).
 */
export function libcameraId(path: string): string {
  return `libcamera-${path.split('/').filter(Boolean).slice(-2).join('-')}`;
}
