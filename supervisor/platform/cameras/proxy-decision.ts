import { z } from 'zod';
import { camelCaseKeys } from '../../../common/camel-case.ts';
import { kindOf } from '../../../media/capture/kinds/index.ts';
import type { Config, SourceConfig } from '../../config/schema.ts';
import { sourceSchema } from '../../config/schema-source.ts';
import { type Device, slugSchema } from '../../contract/index.ts';
import { preferredMode } from './capture-mode.ts';

/** What is remembered about cameras without a `[[source]]`, by their stable ids; part of the appliance's state. */
export const proxiedCamerasSchema = z.record(
  z.string(),
  z.object({
    /** Name of the feed; reserved while the camera is unplugged. */
    feed: slugSchema,
    label: z.string().min(1).max(64),
    /** What a person answered to the offer; null: no one was asked. */
    answer: z.enum(['yes', 'no']).nullable(),
  }),
);

/** See {@link proxiedCamerasSchema}. */
export type ProxiedCameras = Readonly<z.output<typeof proxiedCamerasSchema>>;

/** Which plugged-in cameras become feeds. */
export interface ProxyDecision {
  /** Sources to run besides those of the settings. */
  readonly sources: readonly SourceConfig[];
  /** Cameras that wait for a person's choice. */
  readonly offered: readonly string[];
  /** The source of every camera that has one, including those of the settings. */
  readonly sourceOf: ReadonlyMap<string, string>;
  /** What to remember from now on. */
  readonly state: ProxiedCameras;
}

/**
 * Decides which plugged-in cameras become feeds by themselves. Pure. A camera keeps its first name, no matter in which port it
 * returns, and no other camera gets that name meanwhile.
 */
export function proxyDecision(
  devices: readonly Device[],
  config: Pick<Config, 'source' | 'remote' | 'devices'>,
  state: ProxiedCameras,
): ProxyDecision {
  const sourceOf = claimedBySettings(devices, config.source);
  const next = new Map(Object.entries(state));
  const sources: SourceConfig[] = [];
  const offered: string[] = [];
  const taken = takenNames(state, config);
  for (const device of devices) {
    if (sourceOf.has(device.id) || device.note !== null || config.devices.adopt === 'never') continue;
    const answer = next.get(device.id)?.answer ?? null;
    if (answer === 'no') continue;
    if (config.devices.adopt === 'ask' && answer === null) {
      offered.push(device.id);
      continue;
    }
    const entry = next.get(device.id) ?? nameFor(device, taken);
    const source = sourceFor(device, entry, devices);
    if (source === null) continue;
    next.set(device.id, entry);
    taken.add(entry.feed);
    sources.push(source);
    sourceOf.set(device.id, source.id);
  }
  // In the order in which cameras were first seen: one that returns in another port keeps its place.
  const feeds = [...next.values()].map(({ feed }) => feed);
  const ordered = sources.toSorted((a, b) => feeds.indexOf(a.id) - feeds.indexOf(b.id));
  return { sources: ordered, offered, sourceOf, state: Object.fromEntries(next) };
}

/** A person's answer to the offer of a camera. */
export function answerOffer(
  state: ProxiedCameras,
  device: Device,
  answer: 'yes' | 'no',
  config: Pick<Config, 'source' | 'remote'>,
): ProxiedCameras {
  return { ...state, [device.id]: { ...entryOf(state, device, config), answer } };
}

/** Another name for people; the feed keeps its id. */
export function labelCamera(
  state: ProxiedCameras,
  device: Device,
  label: string,
  config: Pick<Config, 'source' | 'remote'>,
): ProxiedCameras {
  return { ...state, [device.id]: { ...entryOf(state, device, config), label } };
}

function entryOf(
  state: ProxiedCameras,
  device: Device,
  config: Pick<Config, 'source' | 'remote'>,
): ProxiedCameras[string] {
  return new Map(Object.entries(state)).get(device.id) ?? nameFor(device, takenNames(state, config));
}

function takenNames(state: ProxiedCameras, config: Pick<Config, 'source' | 'remote'>): Set<string> {
  return new Set([
    ...config.source.map(({ id }) => id),
    ...config.remote.map(({ id }) => id),
    ...Object.values(state).map(({ feed }) => feed),
  ]);
}

function claimedBySettings(
  devices: readonly Device[],
  sources: readonly SourceConfig[],
): Map<string, string> {
  const claimed = new Map<string, string>();
  const modules = devices.filter(({ kind }) => kind === 'libcamera');
  const claim = (device: Device | undefined, source: SourceConfig) => {
    if (device !== undefined && !claimed.has(device.id)) claimed.set(device.id, source.id);
  };
  for (const source of sources) {
    const use = kindOf(source).camera;
    const name = use?.named(source);
    if (use === undefined || name === undefined || name === null) continue;
    claim(use.opens === 'rpicam' ? modules[Number(name)] : findDevice(devices, name), source);
  }
  // `auto` takes what the others left.
  for (const source of sources) {
    const use = kindOf(source).camera;
    if (use === undefined || use.named(source) !== null) continue;
    const opened = use.opens === 'rpicam' ? 'libcamera' : 'v4l2';
    claim(
      devices.find(({ id, kind, note }) => kind === opened && note === null && !claimed.has(id)),
      source,
    );
  }
  return claimed;
}

/** The camera that a source's `device` names: by its stable id, its node, or one of udev's links. */
function findDevice(devices: readonly Device[], name: string): Device | undefined {
  return devices.find(({ id, path, byId, byPath }) => [id, path, byId, byPath].includes(name));
}

function nameFor(device: Device, taken: ReadonlySet<string>): ProxiedCameras[string] {
  const words = device.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 28)
    .replace(/^-+|-+$/g, '');
  const base = words === '' ? 'camera' : words;
  let feed = base;
  for (let number = 2; taken.has(feed); number += 1) feed = `${base}-${number}`;
  return { feed, label: device.name.slice(0, 64) || feed, answer: null };
}

function sourceFor(
  device: Device,
  { feed, label }: ProxiedCameras[string],
  devices: readonly Device[],
): SourceConfig | null {
  const common = { id: feed, label };
  if (device.kind === 'libcamera') {
    const camera = devices.filter(({ kind }) => kind === 'libcamera').indexOf(device);
    return settings({ ...common, kind: 'rpicam', camera });
  }
  const mode = preferredMode(device);
  if (mode === null) return null;
  const { format, width, height, fps } = mode;
  return settings({ ...common, kind: 'v4l2', device: device.id, format, width, height, fps });
}

/** Through the schema, so that everything unset has the default of a `[[source]]`. */
function settings(source: z.input<typeof sourceSchema>): SourceConfig {
  return camelCaseKeys(sourceSchema, sourceSchema.parse(source));
}
