import type { LiveConfig } from '../config/live-config.ts';
import type {
  ConfigErrorEntry,
  Feed,
  HostStatus,
  MqttLink,
  Rollout,
  Status,
  Take,
  Tally,
  Update,
} from '../contract/index.ts';
import type { Outputs, RemoteFeeds } from '../live/index.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import type { Pipelines } from '../sources/index.ts';
import type { CurrentRole } from '../system/current-role.ts';
import type { Health } from '../system/health.ts';
import type { Identity } from '../system/identity.ts';
import type { TakesFolders } from '../system/takes-folder.ts';
import type { TakeConductor } from '../takes/index.ts';
import { adjustablesOf } from './adjustables.ts';

/** What only a hub shows. */
interface HubStatus {
  readonly cameras: { list(): readonly Status['cameras'][number][] };
  readonly desk: { list(): readonly Status['newCameras'][number][] };
}

/** What only a camera shows. */
interface CameraStatus {
  readonly link: Exclude<Status['hub'], null>;
  /** The code to compare while this camera asks for adoption. */
  readonly code: Status['adoption'];
}

/** Where the status comes from. Everything is read from memory: composing costs no fork and no wait. */
export interface StatusSources {
  readonly identity: Identity;
  readonly simulation: boolean;
  readonly startedAt: Date;
  readonly configFile: string;
  readonly config: LiveConfig;
  readonly role: CurrentRole;
  readonly health: Health;
  readonly pipelines: Pipelines;
  readonly watcher: Pick<CameraWatcher, 'known'>;
  readonly remotes: RemoteFeeds;
  readonly outputs: Outputs;
  readonly feeds: () => Feed[];
  readonly hubRole: HubStatus;
  /** The camera's view of its hub; null on a hub. */
  readonly cameraRole: () => CameraStatus | null;
  readonly conductor: TakeConductor;
  readonly remainingS: () => number | null;
  readonly takes: TakesFolders;
  readonly host: () => HostStatus;
  readonly tally: () => Tally['state'];
  readonly update: () => Update;
  readonly mqtt: () => MqttLink | null;
  readonly rollout: () => Rollout | null;
}

/** Puts the status together from its sources. */
export function composeStatus(sources: StatusSources): Status {
  const { identity, config, role, hubRole, simulation, startedAt } = sources;
  const snapshot = config.current;
  const { role: decided, reason } = role.current;
  const health = sources.health.snapshot();
  return {
    device: {
      id: identity.id,
      name: snapshot.config.name ?? identity.defaultName,
      model: identity.model,
      serial: identity.serial,
      version: identity.version,
      role: decided,
      roleSetting: snapshot.config.role,
      roleReason: reason,
      simulation,
      startedAt: startedAt.toISOString(),
      // Not from startedAt: boards without a clock start in the past, and are set later.
      uptimeS: Math.floor(process.uptime()),
    },
    health: { state: health.state, components: [...health.components] },
    host: sources.host(),
    config: { file: sources.configFile, errors: configErrors(config) },
    sources: [...sources.pipelines.status(), ...sources.remotes.status()],
    feeds: sources.feeds(),
    outputs: sources.outputs.status(),
    adjustables: adjustablesOf(snapshot.config, sources.watcher.known),
    cameras: decided === 'hub' ? [...hubRole.cameras.list()] : [],
    newCameras: decided === 'hub' ? [...hubRole.desk.list()] : [],
    adoption: sources.cameraRole()?.code ?? null,
    hub: sources.cameraRole()?.link ?? null,
    recording: recordingOf(sources.conductor, sources.remainingS()),
    masters: mastersOf(sources.takes),
    tally: sources.tally(),
    update: sources.update(),
    mqtt: sources.mqtt(),
    rollout: sources.rollout(),
  };
}

/** What is wrong with the settings, as page and API show it. */
export function configErrors(config: LiveConfig): ConfigErrorEntry[] {
  return config.current.problems.map((problem) => ({ ...problem }));
}

function recordingOf(conductor: TakeConductor, remainingS: number | null): Status['recording'] {
  const take = conductor.current() ?? conductor.list()[0] ?? null;
  return { state: stateOf(take), take, remainingS, refusal: conductor.refusal };
}

function mastersOf(takes: TakesFolders): Status['masters'] {
  const { path, reason } = takes.current();
  return { folder: path, reason };
}

function stateOf(take: Take | null): Status['recording']['state'] {
  if (take === null || take.state === 'verified') return 'idle';
  if (take.state === 'failed') return take.stoppedAt === null ? 'failed' : 'idle';
  return take.state;
}
