import { camelCaseKeys } from '../config/camel-case.ts';
import { type Config, configSchema, type SourceConfig } from '../config/schema.ts';
import type { DesiredPipeline, WaitingSource } from './desired-state.ts';
import type { CameraFact, HardwareFacts } from './facts.ts';

export interface CameraAssignment {
  readonly pipelines: readonly DesiredPipeline[];
  readonly waiting: readonly WaitingSource[];
  readonly offered: readonly CameraFact[];
}

/**
 * Gives each source its camera. Sources that name one come first, then those that take any, in the order of the
 * settings; cameras left over become sources of their own, are offered, or are left alone, as `devices.adopt` says.
 */
export function assignCameras(
  config: Pick<Config, 'source' | 'devices'>,
  facts: HardwareFacts,
): CameraAssignment {
  const enabled = config.source.filter((source) => source.enabled);
  const taken = new Map<string, string>();
  const found = new Map<string, CameraFact | string>();
  for (const source of [...enabled.filter(namesCamera), ...enabled.filter((other) => !namesCamera(other))]) {
    const camera = pickCamera(source, facts.cameras, taken);
    found.set(source.id, camera);
    if (typeof camera === 'object') taken.set(camera.id, source.id);
  }
  const claimed = claimedCameras(config.source, facts.cameras);
  const left = facts.cameras.filter(({ id }) => !taken.has(id) && !claimed.has(id));
  const isWanted = ({ id }: CameraFact) => config.devices.adopt === 'auto' || facts.adopted.has(id);
  const adopted = config.devices.adopt === 'never' ? [] : left.filter(isWanted);
  return {
    pipelines: [...configured(enabled, found), ...pluggedIn(adopted, config.source)],
    waiting: enabled.flatMap((source) => {
      const reason = found.get(source.id);
      return typeof reason === 'string' && reason !== '' ? [{ source, reason }] : [];
    }),
    offered: config.devices.adopt === 'ask' ? left.filter((camera) => !isWanted(camera)) : [],
  };
}

function namesCamera(source: SourceConfig): boolean {
  return source.kind === 'rpicam' || (source.kind === 'v4l2' && source.device !== 'auto');
}

/** The camera for a source; else why there is none; an empty text where it needs none. */
function pickCamera(
  source: SourceConfig,
  cameras: readonly CameraFact[],
  taken: ReadonlyMap<string, string>,
): CameraFact | string {
  if (source.kind !== 'rpicam' && source.kind !== 'v4l2') return '';
  const candidates = cameras.filter((camera) => fits(source, camera));
  const free = candidates.find(({ id }) => !taken.has(id));
  if (free !== undefined) return free;
  const [first] = candidates;
  if (first !== undefined) return `${first.label} is used by the source ${taken.get(first.id)}.`;
  if (source.kind === 'rpicam') return `No camera module number ${source.camera} was found.`;
  return source.device === 'auto' ? 'No USB camera was found.' : `${source.device} is not plugged in.`;
}

function fits(source: SourceConfig, camera: CameraFact): boolean {
  if (source.kind === 'rpicam') return camera.kind === 'rpicam' && camera.address === String(source.camera);
  if (source.kind !== 'v4l2' || camera.kind !== 'v4l2') return false;
  return source.device === 'auto' || source.device === camera.id || camera.aliases.includes(source.device);
}

/** Cameras that a switched-off source names: they are spoken for. */
function claimedCameras(sources: readonly SourceConfig[], cameras: readonly CameraFact[]): Set<string> {
  const disabled = sources.filter((source) => !source.enabled && namesCamera(source));
  return new Set(
    disabled.flatMap((source) => cameras.filter((camera) => fits(source, camera)).map(({ id }) => id)),
  );
}

function configured(
  sources: readonly SourceConfig[],
  found: ReadonlyMap<string, CameraFact | string>,
): DesiredPipeline[] {
  return sources.flatMap((source): DesiredPipeline[] => {
    const camera = found.get(source.id);
    if (typeof camera === 'object') return [{ source, origin: 'config', camera }];
    return camera === '' ? [{ source, origin: 'config', camera: null }] : [];
  });
}

/** Sources for cameras that have none, named after them; each name stays the same as long as the cameras do. */
function pluggedIn(cameras: readonly CameraFact[], sources: readonly SourceConfig[]): DesiredPipeline[] {
  const names = new Set(sources.map(({ id }) => id));
  return [...cameras]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((camera) => {
      const id = freeName(slugOf(camera.id), names);
      names.add(id);
      return { source: sourceFor(camera, id), origin: 'device', camera };
    });
}

function sourceFor(camera: CameraFact, id: string): SourceConfig {
  const label = camera.label.slice(0, 64) || id;
  const own = camera.kind === 'rpicam' ? { camera: Number(camera.address) } : { device: camera.id };
  const file = configSchema.parse({ source: [{ id, kind: camera.kind, label, ...own }] });
  const [source] = camelCaseKeys(configSchema, file).source;
  if (source === undefined) throw new Error('a source without its only element');
  return source;
}

/** An id that is legal as a feed's name. */
export function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 32)
    .replace(/-+$/, '');
  return slug === '' ? 'camera' : slug;
}

function freeName(wanted: string, names: ReadonlySet<string>): string {
  for (let count = 1; ; count += 1) {
    const suffix = count === 1 ? '' : `-${count}`;
    const name = `${wanted.slice(0, 32 - suffix.length).replace(/-+$/, '')}${suffix}`;
    if (!names.has(name)) return name;
  }
}
