import type { VideoNode } from './video-nodes.ts';

/** The camera that bears an id made of its serial number. */
export interface SerialHome {
  /** Its USB port, as udev's by-path or sysfs names it. */
  readonly place: string;
  /** The id, without the number of a node. */
  readonly id: string;
}

/** The home of each serial number. */
export type PinnedHomes = Readonly<Record<string, SerialHome>>;

/** Keeps the ports of cameras that share a serial number, over restarts. */
export interface HomeMemory {
  readonly get: () => PinnedHomes;
  readonly set: (homes: PinnedHomes) => void;
}

/**
 * Whose serial number it is. Makers give one number to a whole series, and udev's by-id link then belongs to the camera that
 * was plugged last. Once two cameras with one number were seen side by side, the number belongs to a port: to that of the one
 * that bore it before, so that a second camera takes nothing from the first; the others are named by their own ports.
 */
export class SerialHomes {
  readonly #memory: HomeMemory | null;
  #pinned: Map<string, SerialHome> | null = null;
  #last: ReadonlyMap<string, SerialHome> = new Map();

  constructor(memory: HomeMemory | null = null) {
    this.#memory = memory;
  }

  /** Ids by serial number, by node; none for a node that is to be named by its port. */
  settle(nodes: readonly VideoNode[]): Map<string, string> {
    this.#pinned ??= new Map(Object.entries(this.#memory?.get() ?? {}));
    const pinnedBefore = this.#pinned.size;
    const homes = new Map<string, SerialHome>();
    const ids = new Map<string, string>();
    for (const [serial, bearers] of bySerial(nodes)) {
      const places = [...new Set(bearers.map(placeOf))].toSorted(byNumber);
      const home = this.#pinned.get(serial) ?? this.#homeOf(serial, bearers, places);
      homes.set(serial, home);
      if (places.length > 1) this.#pinned.set(serial, home);
      const given = new Set<string>();
      for (const node of bearers.filter((one) => placeOf(one) === home.place).toSorted(byPlaceInDevice)) {
        const id = `${home.id}${suffix(node)}`;
        if (!given.has(id)) ids.set(node.node, id);
        given.add(id);
      }
    }
    this.#last = homes;
    if (this.#pinned.size > pinnedBefore) this.#memory?.set(Object.fromEntries(this.#pinned));
    return ids;
  }

  /** The one that bore the number before, if it is still in its port; else the one in the lowest port. */
  #homeOf(serial: string, bearers: readonly VideoNode[], places: readonly string[]): SerialHome {
    const before = this.#last.get(serial);
    if (before !== undefined && places.includes(before.place)) return before;
    return { place: places[0] ?? '', id: before?.id ?? idOf(bearers) };
  }
}

function bySerial(nodes: readonly VideoNode[]): Map<string, VideoNode[]> {
  const groups = new Map<string, VideoNode[]>();
  for (const node of nodes) {
    if (node.usb === null || node.usb.serial === '') continue;
    const key = `${node.usb.vendorId}:${node.usb.productId}:${node.usb.serial}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return groups;
}

/** What udev calls it, whichever of the twins has the link; without udev, the same from sysfs. */
function idOf(bearers: readonly VideoNode[]): string {
  const named = bearers.find(({ byId }) => byId !== null)?.byId;
  if (named !== undefined && named !== null) return named.replace(/-video-index\d+$/, '');
  const usb = bearers[0]?.usb;
  return `usb-${usb?.vendorId}:${usb?.productId}:${safe(usb?.serial ?? '')}`;
}

/** The USB port, without the interface: a camera may have two, for colour and infrared. */
function placeOf({ byPath, devicePath }: VideoNode): string {
  if (byPath !== null) return byPath.replace(/(?::\d+\.\d+)?-video-index\d+$/, '');
  return devicePath.replace(/\/[^/]+:\d+\.\d+$/, '');
}

function byPlaceInDevice(a: VideoNode, b: VideoNode): number {
  return byNumber(a.devicePath, b.devicePath) || a.index - b.index;
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function suffix(node: VideoNode): string {
  return node.index === 0 ? '' : `-video-index${node.index}`;
}

function safe(serial: string): string {
  return serial.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 64);
}
