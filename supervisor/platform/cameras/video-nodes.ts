import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasErrorCode } from '../../../common/errors.ts';

/** Where the kernel's file systems are mounted; other folders in tests. */
export interface SystemRoots {
  readonly sys: string;
  readonly dev: string;
  readonly proc: string;
}

/** Those of the running machine. */
export const systemRoots: SystemRoots = { sys: '/sys', dev: '/dev', proc: '/proc' };

/** What a USB device says about itself. */
export interface UsbIdentity {
  readonly vendorId: string;
  readonly productId: string;
  /** Empty if the device has none. */
  readonly serial: string;
  /** Rises with every plugging. */
  readonly deviceNumber: string;
}

/** One /dev/videoN as sysfs and udev's links describe it, without opening it. */
export interface VideoNode {
  /** Such as `video0`. */
  readonly node: string;
  readonly name: string;
  /** Number among the nodes of one device. */
  readonly index: number;
  readonly driver: string;
  /** Place in the tree of devices, the same for all nodes of one device: /devices/…/3-11:1.0 */
  readonly devicePath: string;
  readonly usb: UsbIdentity | null;
  /** Names in /dev/v4l/by-id and by-path that point here. */
  readonly byId: string | null;
  readonly byPath: string | null;
}

/** All video nodes, by number. A node that disappears while it is read is left out. */
export async function readVideoNodes(roots: SystemRoots): Promise<VideoNode[]> {
  const folder = join(roots.sys, 'class/video4linux');
  const names = (await entries(folder)).filter((name) => /^video\d+$/.test(name));
  const [ids, paths] = await Promise.all([
    links(join(roots.dev, 'v4l/by-id')),
    links(join(roots.dev, 'v4l/by-path')),
  ]);
  const nodes = await Promise.all(
    names.map(async (node): Promise<VideoNode | null> => {
      const base = await realpath(join(folder, node)).catch(ifGone(null));
      const device = base === null ? null : await realpath(join(base, 'device')).catch(ifGone(null));
      if (base === null || device === null) return null;
      return {
        node,
        name: await text(join(base, 'name')),
        index: Number(await text(join(base, 'index'))) || 0,
        driver: basename(await readlink(join(device, 'driver')).catch(ifGone(''))),
        devicePath: device.slice((await realpath(roots.sys)).length),
        usb: await usbIdentity(device),
        byId: ids.get(node) ?? null,
        byPath: paths.get(node) ?? null,
      };
    }),
  );
  return nodes.filter((node) => node !== null).toSorted((a, b) => numberOf(a.node) - numberOf(b.node));
}

/** The USB device that a video interface belongs to: its parent, the only one with an idVendor. */
async function usbIdentity(device: string): Promise<UsbIdentity | null> {
  for (const folder of [device, dirname(device)]) {
    const vendorId = await text(join(folder, 'idVendor'));
    if (vendorId === '') continue;
    const [productId, serial, deviceNumber] = await Promise.all(
      ['idProduct', 'serial', 'devnum'].map((name) => text(join(folder, name))),
    );
    return { vendorId, productId: productId ?? '', serial: serial ?? '', deviceNumber: deviceNumber ?? '' };
  }
  return null;
}

/** Names of the links in a folder by the node they point to. */
async function links(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await entries(folder)).toSorted()) {
    const target = await readlink(join(folder, name)).catch(ifGone(''));
    const node = basename(target);
    // udev links a USB device by its path twice (usb- and usbv2-): the first, shorter one is used.
    if (node !== '' && !found.has(node)) found.set(node, name);
  }
  return found;
}

async function entries(folder: string): Promise<string[]> {
  return await readdir(folder).catch(ifGone([]));
}

async function text(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(ifGone(''))).trim();
}

/** A device that is pulled while it is read is simply not there. */
function ifGone<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (hasErrorCode(error, 'ENOENT', 'ENODEV', 'ENOTDIR', 'EINVAL', 'ENXIO')) return instead;
    throw error;
  };
}

function numberOf(node: string): number {
  return Number(node.slice('video'.length));
}
