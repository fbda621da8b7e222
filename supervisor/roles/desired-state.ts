import type { Config, RemoteConfig, SourceConfig } from '../config/schema.ts';
import { assignCameras, type DesiredPipeline, type WaitingSource } from './assign-cameras.ts';
import type { HardwareFacts, Role } from './facts.ts';

export type ServiceName = 'media' | 'api' | 'takes' | 'mdns' | 'hub-link' | 'mqtt' | 'gateway' | 'updates';

/** A feed that a camera publishes to its hub. */
export interface DesiredPush {
  readonly feed: string;
  /** `auto`: found by mDNS. */
  readonly hub: string;
}

export interface DesiredState {
  readonly role: Role;
  readonly services: readonly ServiceName[];
  readonly pipelines: readonly DesiredPipeline[];
  readonly waiting: readonly WaitingSource[];
  /** Ids of all sources, in the order of the settings: one that goes and comes back keeps its place. */
  readonly order: readonly string[];
  /** Sources that the settings switch off. */
  readonly disabled: readonly SourceConfig[];
  readonly pushes: readonly DesiredPush[];
  /** Feeds that are pulled from elsewhere; only a hub has them. */
  readonly remotes: readonly RemoteConfig[];
}

/** What should run on this machine, from settings, role and hardware. Pure: the same answer for the same question. */
export function desiredState(config: Config, role: Role, facts: HardwareFacts): DesiredState {
  const enabled = config.source.filter(({ enabled }) => enabled);
  const { pipelines, waiting } = assignCameras(enabled, facts.cameras);
  return {
    role,
    services: servicesOf(config, role),
    pipelines,
    waiting,
    order: config.source.map(({ id }) => id),
    disabled: config.source.filter(({ enabled }) => !enabled),
    pushes:
      role === 'camera' ? pipelines.map(({ source }) => ({ feed: source.id, hub: config.camera.hub })) : [],
    remotes: role === 'hub' ? config.remote.filter(({ enabled }) => enabled) : [],
  };
}

function servicesOf(config: Config, role: Role): ServiceName[] {
  return [
    'media',
    'api',
    'takes',
    'mdns',
    ...(role === 'camera' ? (['hub-link'] as const) : []),
    ...(config.mqtt.url === undefined ? [] : (['mqtt'] as const)),
    ...(role === 'hub' && config.gateway.upstream !== undefined ? (['gateway'] as const) : []),
    'updates',
  ];
}
