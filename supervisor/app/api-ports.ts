import type { LiveConfig } from '../config/live-config.ts';
import { withoutSecrets } from '../config/secrets.ts';
import type { Feed, Output, Update } from '../contract/index.ts';
import type { ApiPorts } from '../contract/ports.ts';
import { AdoptionError, type HubRole } from '../hub/index.ts';
import type { MediaLink } from '../live/index.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import { configErrors, type StatusBoard } from '../status/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import type { Health } from '../system/health.ts';
import type { LogRing } from '../system/log-ring.ts';
import { requireMasterHere, requireOwnMasters, type TakeConductor } from '../takes/index.ts';
import type { Now } from './now.ts';

/** What the API is wired to. */
export interface ApiParts {
  readonly board: StatusBoard;
  readonly media: MediaLink;
  readonly feeds: () => Feed[];
  readonly outputs: () => Output[];
  readonly pictures: ApiPorts['pictures'];
  readonly conductor: TakeConductor;
  readonly masterPath: ApiPorts['takes']['master'];
  readonly checkTake: (id: string) => Promise<void>;
  readonly cameras: CameraWatcher;
  readonly plugged: Pick<ApiPorts['devices'], 'use' | 'forget' | 'label' | 'unplugged'>;
  readonly config: LiveConfig;
  readonly configFile: string;
  readonly now: Now;
  readonly health: Health;
  readonly system: ApiPorts['system'];
  readonly update: { status(): Update } & Pick<ApiPorts['update'], 'check' | 'install' | 'rollback'>;
  readonly rollout: ApiPorts['rollout'];
  readonly mqtt: ApiPorts['mqtt'];
  readonly metrics: ApiPorts['metrics'];
  readonly logRing: LogRing;
}

/** Close code for a link that this appliance does not use. */
const wrongRole = 4004;

/** The appliance as the API sees it. */
export function apiPorts(parts: ApiParts): ApiPorts {
  const { board, media, conductor, cameras, config, now, health } = parts;
  /** Rejects with WRONG_ROLE on a camera. */
  const hub = (): HubRole => {
    if (now.role.kind === 'hub') return now.role.hub;
    throw new ApplianceError('WRONG_ROLE', 'This appliance is a camera; only a hub adopts cameras.');
  };
  const view: ApiPorts['config']['view'] = () => ({
    tag: config.tag,
    view: {
      file: parts.configFile,
      values: withoutSecrets(config.current.file),
      overrides: withoutSecrets(config.current.overrides),
      errors: configErrors(config),
    },
  });
  return {
    status: async () => board.current(),
    subscribe: (listener) => board.subscribe(listener),
    feeds: async () => parts.feeds(),
    outputs: () => parts.outputs(),
    signaling: media,
    pictures: parts.pictures,
    takes: {
      list: async () => {
        await conductor.refresh();
        return [...conductor.list()];
      },
      get: async (id) => conductor.get(id),
      start: (wanted) => conductor.start(wanted),
      stop: (id) => conductor.stop(id),
      remove: (id) => conductor.remove(id),
      verify: async (id) => {
        requireOwnMasters(conductor.get(id));
        await parts.checkTake(id);
        return conductor.get(id);
      },
      master: async (id, camera, segment) => {
        requireMasterHere(conductor.get(id), camera);
        return await parts.masterPath(id, camera, segment);
      },
    },
    devices: {
      list: () => cameras.list(),
      setControls: (id, values) => cameras.setControls(id, values),
      ...parts.plugged,
    },
    config: {
      view,
      patch: async (patch, isExpected) => {
        await config.patch(patch, isExpected);
        return view();
      },
    },
    update: parts.update,
    rollout: parts.rollout,
    mqtt: parts.mqtt,
    system: parts.system,
    readiness: () => {
      const failing = health.snapshot().components.filter(({ state }) => state !== 'ok');
      return {
        ready: health.ready,
        reasons: failing.map(({ name, state, reason }) => `${name} ${state}: ${reason ?? 'no reason given'}`),
      };
    },
    metrics: parts.metrics,
    logs: (lines) => parts.logRing.latest(lines),
    adoption: {
      list: () => (now.role.kind === 'hub' ? now.role.hub.desk.list() : []),
      adopt: async (cameraId, code) => await hub().desk.adopt(cameraId, code),
      unadopt: async (cameraId) => await hub().unadopt(cameraId),
      forgetHub: async () => {
        if (now.camera === null) throw new ApplianceError('WRONG_ROLE', 'Only a camera belongs to a hub.');
        await now.camera.forgetHub();
      },
      confirmHub: async (code) => {
        if (now.camera === null) throw new ApplianceError('WRONG_ROLE', 'Only a camera belongs to a hub.');
        if (now.camera.confirmHub(code)) return;
        throw new AdoptionError('CODE_WRONG', 'This camera shows another code by now: look again.');
      },
      accept: (socket, caller) => {
        if (now.role.kind === 'hub') now.role.hub.desk.accept(socket, caller.address);
        else socket.close(wrongRole, 'this appliance is a camera');
      },
    },
    acceptAgent: (socket, caller) => {
      if (now.role.kind === 'hub') now.role.hub.cameras.accept(socket, caller.keyId, caller.address);
      else socket.close(wrongRole, 'this appliance is a camera');
    },
  };
}
