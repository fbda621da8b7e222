import type { Config, RemoteConfig, SourceConfig } from '../config/schema.ts';
import { assignCameras, type DesiredPipeline, type WaitingSource } from './assign-cameras.ts';
import type { HardwareFacts, Role } from './facts.ts';

/** What should run on this machine. */
export interface DesiredState {
  readonly role: Role;
  readonly pipelines: readonly DesiredPipeline[];
  readonly waiting: readonly WaitingSource[];
  /** Ids of all sources, in the order of the settings: a source that goes and returns keeps its place. */
  readonly order: readonly string[];
  /** Sources that the settings switch off. */
  readonly disabled: readonly SourceConfig[];
  /** Feeds that are pulled from elsewhere; only a hub has them. */
  readonly remotes: readonly RemoteConfig[];
}

/** Plans what should run on this machine, from settings, role and hardware. Pure: equal questions get equal answers. */
export function desiredState(config: Config, role: Role, facts: HardwareFacts): DesiredState {
  const enabled = config.source.filter(({ enabled }) => enabled);
  const { pipelines, waiting } = assignCameras(enabled, facts.cameras);
  return {
    role,
    pipelines,
    waiting,
    order: config.source.map(({ id }) => id),
    disabled: config.source.filter(({ enabled }) => !enabled),
    remotes: role === 'hub' ? config.remote.filter(({ enabled }) => enabled) : [],
  };
}
