import { kindOf } from '../../media/capture/kinds/index.ts';
import type { SourceConfig } from '../config/schema.ts';
import type { CameraFact } from './facts.ts';

/** A capture pipeline that has all it needs. */
export interface DesiredPipeline {
  readonly source: SourceConfig;
  /** The local camera it opens; absent if it needs none. */
  readonly camera: CameraFact | null;
}

/** A source that cannot run now, and why. It starts by itself when the reason is gone. */
export interface WaitingSource {
  readonly source: SourceConfig;
  readonly reason: string;
}

/** Which sources run, and which cannot. */
export interface CameraAssignment {
  readonly pipelines: readonly DesiredPipeline[];
  readonly waiting: readonly WaitingSource[];
}

/** Assigns cameras to sources: those that name a camera come first, then those that take any, in the order of the settings. */
export function assignCameras(
  sources: readonly SourceConfig[],
  cameras: readonly CameraFact[],
): CameraAssignment {
  const taken = new Map<string, string>();
  const found = new Map<string, CameraFact | string>();
  for (const source of [...sources.filter(namesCamera), ...sources.filter((other) => !namesCamera(other))]) {
    const camera = pickCamera(source, cameras, taken);
    found.set(source.id, camera);
    if (typeof camera === 'object') taken.set(camera.id, source.id);
  }
  return {
    pipelines: sources.flatMap((source): DesiredPipeline[] => {
      const camera = found.get(source.id);
      if (typeof camera === 'object') return [{ source, camera }];
      return camera === '' ? [{ source, camera: null }] : [];
    }),
    waiting: sources.flatMap((source) => {
      const reason = found.get(source.id);
      return typeof reason === 'string' && reason !== '' ? [{ source, reason }] : [];
    }),
  };
}

function namesCamera(source: SourceConfig): boolean {
  const name = kindOf(source).camera?.named(source);
  return name !== undefined && name !== null;
}

/** The camera for a source, or why there is none; an empty text if the source needs none. */
function pickCamera(
  source: SourceConfig,
  cameras: readonly CameraFact[],
  taken: ReadonlyMap<string, string>,
): CameraFact | string {
  const use = kindOf(source).camera;
  if (use === undefined) return '';
  const candidates = cameras.filter((camera) => fits(source, camera));
  const free = candidates.find(({ id }) => !taken.has(id));
  if (free !== undefined) return free;
  const [first] = candidates;
  if (first !== undefined) return `${first.label} is used by the source ${taken.get(first.id)}.`;
  return use.missing(source);
}

function fits(source: SourceConfig, camera: CameraFact): boolean {
  const use = kindOf(source).camera;
  if (use === undefined || use.opens !== camera.kind) return false;
  const name = use.named(source);
  return name === null || [camera.id, camera.address, ...camera.aliases].includes(name);
}
