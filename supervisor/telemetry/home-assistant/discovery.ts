import { z } from 'zod';
import { jsonIn } from '../../../common/json-text.ts';
import type { Status } from '../../contract/index.ts';
import type { Inventory } from '../inventory.ts';
import { keyOf } from '../item-keys.ts';
import { type Topics, topicId } from '../topics.ts';
import type { Component, ComponentContext, Components, Platform } from './component.ts';
import { hostComponents } from './host-components.ts';
import { mediaComponents } from './media-components.ts';
import { systemComponents } from './system-components.ts';

/** A device-based discovery document of Home Assistant. */
export interface DiscoveryDocument {
  readonly device: Readonly<Record<string, unknown>>;
  readonly origin: { readonly name: string; readonly sw_version: string; readonly support_url?: string };
  readonly state_topic: string;
  readonly availability_topic: string;
  readonly qos: 0 | 1;
  readonly components: Components;
}

/** The part of the status that the document contains; a change of it needs a new document. */
export interface DiscoveryInput {
  readonly device: Pick<
    Status['device'],
    'id' | 'name' | 'model' | 'serial' | 'version' | 'role' | 'simulation'
  >;
  readonly hubId: string | null;
  readonly pageUrl: string | null;
  readonly inventory: Inventory;
  /** On a camera: its hub shows its update. */
  readonly isUpdatedByHub: boolean;
}

/** Reads that part from the status. */
export function discoveryInput(
  status: Status,
  inventory: Inventory,
  pageUrl: string | null = null,
  isUpdatedByHub = false,
): DiscoveryInput {
  const { id, name, model, serial, version, role, simulation } = status.device;
  return {
    device: { id, name, model, serial, version, role, simulation },
    hubId: role === 'camera' ? (status.hub?.id ?? null) : null,
    pageUrl,
    inventory,
    isUpdatedByHub: role === 'camera' && isUpdatedByHub,
  };
}

/** Makes the document. */
export function discoveryDocument(
  { device, hubId, pageUrl, inventory, isUpdatedByHub }: DiscoveryInput,
  topics: Topics,
  heartbeatS: number,
): DiscoveryDocument {
  const context: ComponentContext = {
    topics,
    objectName: keyOf(device.name),
    expireAfterS: heartbeatS * 3,
  };
  const page = pageUrl !== null && isLegalUrl(pageUrl) ? pageUrl : null;
  return {
    device: {
      identifiers: [`rushlight_${topics.device}`],
      name: device.name,
      manufacturer: 'Rushlight',
      model: `Rushlight ${device.role}`,
      model_id: device.model,
      sw_version: device.version,
      ...(device.serial === null ? {} : { serial_number: device.serial }),
      ...(page === null ? {} : { configuration_url: page }),
      ...(hubId === null ? {} : { via_device: `rushlight_${topicId(hubId)}` }),
    },
    origin: {
      name: 'rushlight',
      sw_version: device.version,
      ...(page === null ? {} : { support_url: page }),
    },
    state_topic: topics.state,
    availability_topic: topics.availability,
    qos: 1,
    components: Object.fromEntries([
      ...systemComponents(context, inventory),
      ...mediaComponents(context, inventory),
      ...hostComponents(context, inventory),
      ...(isUpdatedByHub ? [['update', { platform: 'update' }] as const] : []),
    ]),
  };
}

const platforms = [
  'binary_sensor',
  'button',
  'camera',
  'event',
  'image',
  'number',
  'select',
  'sensor',
  'switch',
  'update',
] as const;
const publishedSchema = z.object({
  components: z.record(
    z.string().max(256),
    z.looseObject({ platform: z.enum(platforms satisfies readonly Platform[]) }),
  ),
});

/**
 * The entities of a document that was published earlier and is read back from the broker, without marks of removal. Null if it
 * is not ours or cannot be read.
 */
export function readPublished(payload: string): Components | null {
  const parsed = publishedSchema.safeParse(jsonIn(payload));
  if (!parsed.success) return null;
  const living = Object.entries(parsed.data.components).filter(([, item]) => Object.keys(item).length > 1);
  return Object.fromEntries(living.map(([key, item]): [string, Component] => [key, item]));
}

/** Topics that bear the update states of a hub's cameras, as far as these entities read them. */
export function cameraUpdateTopics(components: Components, topics: Topics): string[] {
  return Object.entries(components).flatMap(([key, { platform }]) => {
    const [, camera] = /^camera_(.+)_update$/.exec(key) ?? [];
    return platform === 'update' && camera !== undefined ? [topics.cameraUpdate(camera)] : [];
  });
}

/** An invalid address would make Home Assistant reject the whole document. */
function isLegalUrl(text: string): boolean {
  return /^https?:\/\/(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d+)?\/?$/.test(text);
}
