import type { Logger } from 'pino';
import { LiveConfig } from '../config/live-config.ts';
import { StateStore } from '../config/state.ts';
import type { CameraEdge } from '../platform/cameras/camera-edge.ts';
import type { Host } from '../platform/host.ts';
import { LinuxHost } from '../platform/host-linux.ts';
import { NetworkMonitor } from '../platform/network-monitor.ts';
import { ChildProcessHost } from '../process/child-process-host.ts';
import { stepBehindChildren } from '../process/oom-score.ts';
import { loadKeys } from './credentials.ts';
import { claimDataFolder, type DataPaths, dataPaths } from './data-folder.ts';
import { Health } from './health.ts';
import { type Identity, machineNameFile, readIdentity } from './identity.ts';
import type { KeyStore } from './key-store.ts';
import type { LogRing } from './log-ring.ts';
import { layOutSimulation } from './simulation.ts';
import { TakesFolders } from './takes-folder.ts';

/** How an appliance is started. */
export interface ApplianceOptions {
  readonly configFile: string;
  readonly dataFolder: string;
  /** Overrides the settings' port; null: the settings decide. */
  readonly port: number | null;
  /** On a developer's machine: only loopback, no tokens, and the machine itself is left alone. */
  readonly simulation: boolean;
  /** Replaces the machine's cameras. */
  readonly cameraEdge?: CameraEdge;
  /**
   * Ends this process at once if an essential part broke: what records and captures keeps running, and the next supervisor
   * takes it over. Without it everything is shut down in order.
   */
  readonly onFatal?: (error: unknown) => never;
  readonly log: Logger;
  readonly logRing: LogRing;
}

/** What everything else is built on: data, settings, keys, the machine and its processes. */
export interface Foundation extends AsyncDisposable {
  readonly options: ApplianceOptions;
  readonly log: Logger;
  readonly startedAt: Date;
  readonly paths: DataPaths;
  readonly state: StateStore;
  readonly config: LiveConfig;
  readonly machine: Host;
  readonly identity: Identity;
  readonly keys: KeyStore;
  readonly health: Health;
  readonly host: ChildProcessHost;
  readonly network: NetworkMonitor;
  /** Which disk takes lie on. */
  readonly takes: TakesFolders;
  /** Host name, mDNS name, and what people see. */
  readonly name: () => string;
}

/** Claims the data folder and reads what lies there. Disposing ends every child and releases the folder. */
export async function openFoundation(options: ApplianceOptions): Promise<Foundation> {
  const { configFile, dataFolder, simulation, log } = options;
  await using cleanup = new AsyncDisposableStack();
  const paths = dataPaths(dataFolder);
  cleanup.use(await claimDataFolder(paths));
  if (simulation) await layOutSimulation(configFile);
  const health = new Health();
  const state = new StateStore({
    file: paths.state,
    logger: log,
    // Until the next start: everyone who opens the page has to see it.
    onDamage: (what) => health.register('memory', { core: false }).degraded(what),
  });
  await state.load();
  const config = new LiveConfig({ file: configFile, lastGoodFile: paths.lastGoodConfig, state, logger: log });
  await config.load();
  log.level = config.current.config.log.level;
  const machine = new LinuxHost({ logger: log });
  const identity = await readIdentity(state, machine, simulation ? null : machineNameFile);
  const { keys, notice } = await loadKeys(paths, log);
  if (notice !== null) health.register('keys', { core: false }).degraded(notice);
  const host = cleanup.use(
    new ChildProcessHost({
      logger: log,
      folder: paths.children,
      // A developer's machine is left unchanged.
      oomScore: simulation ? null : stepBehindChildren(),
    }),
  );
  const takes = new TakesFolders({
    settings: () => config.current.config.masters,
    configFile,
    fallback: paths.takes,
    ssd: simulation ? null : '/media/ssd',
  });
  await takes.look();
  const end = cleanup.move();
  return {
    options,
    log,
    paths,
    state,
    config,
    machine,
    identity,
    keys,
    health,
    host,
    takes,
    network: new NetworkMonitor({ host, log }),
    startedAt: new Date(),
    name: () => config.current.config.name ?? identity.defaultName,
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  };
}
