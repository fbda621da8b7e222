import type { LinkedCamera, SourceStatus, Status } from '../contract/index.ts';

/**
 * What the appliance consists of, as far as it decides which entities there are. It changes when something is
 * plugged in or out, not when a figure changes.
 */
export interface Inventory {
  readonly role: Status['device']['role'];
  readonly updatable: boolean;
  readonly hasPower: boolean;
  readonly disks: readonly DiskItem[];
  readonly networks: readonly NetworkItem[];
  readonly feeds: readonly LabelledItem[];
  /** Sources of a camera, whose feeds are the hub's. On a hub every source is a feed. */
  readonly sources: readonly LabelledItem[];
  readonly cameras: readonly CameraItem[];
}

export interface LabelledItem {
  readonly key: string;
  readonly label: string;
}

export interface CameraItem extends LabelledItem {
  readonly id: string;
  /** Whether the hub can update it. */
  readonly updatable: boolean;
}

export interface DiskItem extends LabelledItem {
  readonly hasWear: boolean;
}

export interface NetworkItem extends LabelledItem {
  readonly hasWifi: boolean;
}

/**
 * @param previous The inventory before. A reading that is null for a moment (Wi-Fi out of reach) does not take away
 *   what was there.
 */
export function inventoryOf(status: Status, previous: Inventory | null = null): Inventory {
  return {
    role: status.device.role,
    updatable: status.update.state !== 'unsupported',
    hasPower: status.host.power !== null || previous?.hasPower === true,
    disks: byKey(
      status.host.disks.map((disk) => {
        const key = keyOf(disk.label === '' ? disk.mount : disk.label);
        const before = previous?.disks.find((item) => item.key === key);
        return {
          key,
          label: disk.label === '' ? disk.mount : disk.label,
          hasWear: disk.wearPercent !== null || before?.hasWear === true,
        };
      }),
    ),
    networks: byKey(
      status.host.network
        .filter((network) => network.name !== 'lo')
        .map(({ name, wifiSignalDbm }) => {
          const key = keyOf(name);
          const before = previous?.networks.find((item) => item.key === key);
          return { key, label: name, hasWifi: wifiSignalDbm !== null || before?.hasWifi === true };
        }),
    ),
    feeds: byKey(status.feeds.map(({ id, label }) => ({ key: id, label }))),
    sources: byKey(
      status.device.role === 'camera' ? status.sources.map(({ id, label }) => ({ key: id, label })) : [],
    ),
    cameras: byKey(
      status.cameras.map(({ id, name, update }) => {
        const key = keyOf(id);
        const before = previous?.cameras.find((item) => item.key === key);
        const updatable = (update !== null && update.state !== 'unsupported') || before?.updatable === true;
        return { key, label: name, id, updatable };
      }),
    ),
  };
}

/** A key for JSON paths, entity ids and topics: lower-case letters, digits and `_`. */
export function keyOf(name: string): string {
  const key = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return key === '' ? 'root' : key;
}

/** Where a feed is made: the source of this machine, or that of the linked camera that publishes it. */
export function sourceOfFeed(status: Status, feed: Status['feeds'][number]): SourceStatus | null {
  const local = status.sources.find((source) => source.id === feed.id);
  if (local !== undefined) return local;
  const camera = status.cameras.find((item) => isPublisher(item, feed.publisher?.camera ?? null));
  if (camera === undefined) return null;
  const only = camera.sources.length === 1 ? camera.sources[0] : undefined;
  return camera.sources.find((source) => source.id === feed.id) ?? only ?? null;
}

function isPublisher(camera: LinkedCamera, name: string | null): boolean {
  return name !== null && (camera.id === name || camera.name === name);
}

function byKey<T extends LabelledItem>(items: readonly T[]): T[] {
  const unique = new Map(items.map((item) => [item.key, item]));
  return [...unique.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}
