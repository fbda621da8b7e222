import type { Adjustable, LinkedCamera, SourceStatus, Status } from '../contract/index.ts';
import { keyedDisks, keyedNetworks, keyOf } from './item-keys.ts';

/**
 * The parts of the appliance that decide which entities exist. It changes when something is plugged in or removed, not when a
 * figure changes.
 */
export interface Inventory {
  readonly role: Status['device']['role'];
  readonly updatable: boolean;
  readonly hasPower: boolean;
  readonly disks: readonly DiskItem[];
  readonly networks: readonly NetworkItem[];
  /** Without those that a camera sends to its hub, which are shown as its sources. */
  readonly feeds: readonly FeedItem[];
  /** Sources of a camera, whose feeds are the hub's. On a hub every source is a feed. */
  readonly sources: readonly LabelledItem[];
  readonly cameras: readonly CameraItem[];
  readonly adjustables: readonly AdjustableItem[];
  /** Without those that are switched off. */
  readonly outputs: readonly LabelledItem[];
}

/** An item with its key and its name for people. */
export interface LabelledItem {
  readonly key: string;
  readonly label: string;
}

/** A feed. */
export interface FeedItem extends LabelledItem {
  /** Whether its camera is known, and so can be recorded. */
  readonly isRecordable: boolean;
}

/** A setting of a source; its range decides what its entity is like, its value is in the state. */
export type AdjustableItem = LabelledItem & Omit<Adjustable, 'value' | 'label'>;

/** A linked camera. */
export interface CameraItem extends LabelledItem {
  readonly id: string;
  /** Whether the hub can update it. */
  readonly updatable: boolean;
}

/** A disk, by its mount. */
export interface DiskItem extends LabelledItem {
  readonly hasWear: boolean;
}

/** A network interface. */
export interface NetworkItem extends LabelledItem {
  readonly hasWifi: boolean;
}

/** @param previous The inventory before. A value that is null for a moment (Wi-Fi out of reach) does not remove the entity. */
export function inventoryOf(status: Status, previous: Inventory | null = null): Inventory {
  return {
    role: status.device.role,
    updatable: status.update.state !== 'unsupported',
    hasPower: status.host.power !== null || previous?.hasPower === true,
    disks: byKey(
      keyedDisks(status.host.disks).map(({ item, key, label }) => {
        const before = previous?.disks.find((disk) => disk.key === key);
        return { key, label, hasWear: item.wearPercent !== null || before?.hasWear === true };
      }),
    ),
    networks: byKey(
      keyedNetworks(status.host.network).map(({ item, key, label }) => {
        const before = previous?.networks.find((network) => network.key === key);
        return { key, label, hasWifi: item.wifiSignalDbm !== null || before?.hasWifi === true };
      }),
    ),
    feeds: byKey(
      status.feeds
        .filter(({ id }) => !isShownAsSource(status, id))
        .map((feed) => {
          const before = previous?.feeds.find(({ key }) => key === feed.id);
          const isRecordable = sourceOfFeed(status, feed)?.id === feed.id || before?.isRecordable === true;
          return { key: feed.id, label: feed.label, isRecordable };
        }),
    ),
    sources: byKey(
      status.device.role === 'camera' ? status.sources.map(({ id, label }) => ({ key: id, label })) : [],
    ),
    adjustables: byKey(
      status.adjustables.map(({ value: _, ...item }) => ({ ...item, key: `${item.source}_${item.id}` })),
    ),
    outputs: byKey(
      status.outputs.filter(({ state }) => state !== 'off').map(({ id, label }) => ({ key: id, label })),
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

/** On a camera: whether a feed is that of one of its own sources. */
function isShownAsSource({ device, sources }: Status, feed: string): boolean {
  return device.role === 'camera' && sources.some(({ id }) => id === feed);
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
