import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { EncodeSpeed, Masters, TakeStore } from '../media/index.ts';
import type { Status } from './api/contract.ts';
import { apiPorts } from './appliance/api-ports.ts';
import { CameraSide } from './appliance/camera-side.ts';
import { ControlState } from './appliance/control-state.ts';
import { loadKeys } from './appliance/credentials.ts';
import { claimDataFolder, dataPaths } from './appliance/data-folder.ts';
import { GpioPanel } from './appliance/gpio-panel.ts';
import { HostMonitor } from './appliance/host-monitor.ts';
import { HttpService } from './appliance/http-service.ts';
import { obeyHub, tellHub } from './appliance/hub-commands.ts';
import { HubSide } from './appliance/hub-side.ts';
import { readIdentity } from './appliance/identity.ts';
import { LocalTakesOfMasters } from './appliance/local-takes.ts';
import type { LogRing } from './appliance/log-ring.ts';
import { MediaLink } from './appliance/media-link.ts';
import { Pipelines } from './appliance/pipelines.ts';
import { PortBook } from './appliance/port-book.ts';
import { Reconciler } from './appliance/reconciler.ts';
import { RemainingTime } from './appliance/remaining-time.ts';
import { RoleKeeper } from './appliance/role-keeper.ts';
import { layOutSimulation } from './appliance/simulation.ts';
import { StatusBoard } from './appliance/status-board.ts';
import { composeStatus } from './appliance/status-composer.ts';
import { SystemActions } from './appliance/system-actions.ts';
import { TakeConductor } from './appliance/take-conductor.ts';
import { takesFolder } from './appliance/takes-folder.ts';
import { telemetryService } from './appliance/telemetry-service.ts';
import { unsupportedUpdate } from './appliance/update-status.ts';
import { LiveConfig } from './config/live-config.ts';
import { StateStore } from './config/state.ts';
import { Health } from './health.ts';
import { CameraEnumerator } from './platform/cameras/camera-enumerator.ts';
import { CameraWatcher } from './platform/cameras/camera-watcher.ts';
import { findHardwareEncoder } from './platform/cameras/hardware-encoder.ts';
import { HotplugMonitor } from './platform/cameras/hotplug-monitor.ts';
import { openGpioHeader } from './platform/gpio-onoff.ts';
import { LinuxHost } from './platform/host-linux.ts';
import { feedWatchdog, openNotifier } from './platform/systemd.ts';
import { ChildProcessHost } from './process/child-process-host.ts';
import { ExclusiveRunner } from './process/exclusive-runner.ts';
import { renderMetrics } from './telemetry/prometheus/metrics.ts';

export interface ApplianceOptions {
  readonly configFile: string;
  readonly dataFolder: string;
  /** Stands over the port of the settings; null: the settings say. */
  readonly port: number | null;
  /** On a developer's machine: loopback alone, no tokens, and the machine itself is left alone. */
  readonly simulation: boolean;
  readonly log: Logger;
  readonly logRing: LogRing;
}

const heartbeatMs = 2000;
const reapAfterMs = 5000;

/**
 * The composition root: makes every part, starts them in order, and ends them in reverse. Only here the media plane and
 * updates are wired in.
 */
export class Appliance {
  readonly #options: ApplianceOptions;

  constructor(options: ApplianceOptions) {
    this.#options = options;
  }

  /** Until abort. Rejects where it cannot start: folder in use, port taken, state unreadable. */
  async run(signal: AbortSignal): Promise<void> {
    const { configFile, dataFolder, simulation, log } = this.#options;
    const startedAt = new Date();
    const paths = dataPaths(dataFolder);
    await using _claim = await claimDataFolder(paths);
    if (simulation) await layOutSimulation(configFile);
    const state = new StateStore({ file: paths.state, logger: log });
    await state.load();
    const config = new LiveConfig({
      file: configFile,
      lastGoodFile: paths.lastGoodConfig,
      state,
      logger: log,
    });
    const { config: settings } = await config.load();
    log.level = settings.log.level;
    const machine = new LinuxHost({ logger: log });
    const identity = await readIdentity(state, machine);
    const keys = await loadKeys(paths, log);
    const health = new Health();
    using notifier = openNotifier(process.env, log);
    await using host = new ChildProcessHost({ logger: log, folder: paths.children });
    const name = () => config.current.config.name ?? identity.defaultName;

    const board = new StatusBoard({ compose: () => status() });
    const onChange = () => board.poke();
    const monitor = new HostMonitor({ host: machine });
    const role = new RoleKeeper(state, log);
    const runner = new ExclusiveRunner();
    const cameras = new CameraWatcher({
      enumerator: new CameraEnumerator({ log, sourceOf: (id) => pipelines.sourceOfDevice(id) }),
      hotplug: new HotplugMonitor({ host, log }),
      memory: new ControlState(state, log),
      log,
    });
    const ports = new PortBook(state);
    const pipelines = new Pipelines({
      host,
      ports,
      runFolder: paths.run,
      hardwareEncoder: await findHardwareEncoder(),
      onChange,
      log,
    });
    const media = new MediaLink({
      host,
      socketPath: paths.mediaSocket,
      health: health.register('media', { core: true }),
      labelOf: (feed) => pipelines.status().find(({ id }) => id === feed)?.label ?? feed,
      onFrames: (feed, frames) => pipelines.noteFrames(feed, frames),
      onBlind: () => pipelines.noteBlindness(),
      onChange,
      log,
    });

    const takesRoot = takesFolder(settings.masters, paths.takes);
    await mkdir(takesRoot, { recursive: true });
    const store = new TakeStore({ host, logger: log, root: takesRoot });
    const masters = new Masters({
      ...{ host, logger: log, store, root: takesRoot },
      speed: new EncodeSpeed({
        ...{ host, logger: log, cacheFile: join(dataFolder, 'encode-speed.json') },
        ...{ scratch: tmpdir(), version: identity.version },
      }),
      settings: () => {
        const { codec, strategy, reserveMb } = config.current.config.masters;
        return { codec, strategy, reserveBytes: reserveMb * 1024 * 1024 };
      },
      pipeOf: (camera) => pipelines.pipeOf(camera),
      cameras: () => pipelines.all().map(({ id, pipe, raw }) => ({ camera: id, pipe, raw })),
      onChange: (id) => localTakes.noteChange(id),
    });
    const localTakes = new LocalTakesOfMasters({
      masters,
      store,
      recordable: () => pipelines.recordable().map(({ id }) => id),
      log,
    });
    const hubSide = new HubSide({
      hub: { id: identity.id, name: name() },
      keys,
      fingerprint: () => http.reach?.fingerprint ?? null,
      onChange,
      log,
    });
    const conductor = new TakeConductor({
      local: localTakes,
      cameras: hubSide.cameras,
      state,
      onTake: (take) => {
        board.emit({ type: 'take', take });
        const side = reconciler.cameraSide;
        if (side !== null) tellHub(side, take);
        void gpio.showTally(conductor.current() !== null || system.tally === 'program');
        onChange();
      },
      log,
    });
    const remaining = new RemainingTime(masters);
    const gpio = new GpioPanel({
      header: simulation ? null : await openGpioHeader({ logger: log }),
      onJumper: () => reconciler.request(),
      onRecordButton: () => conductor.toggle(),
      log,
    });
    const system = new SystemActions({
      ...{ host, runner, conductor, simulation, log },
      identify: () => gpio.identify(),
      onTally: async (tally) => {
        await gpio.showTally(tally === 'program' || conductor.current() !== null);
        onChange();
      },
    });
    const update = unsupportedUpdate(identity.version, 'Updates need the slots of the Rushlight image.');
    const http = new HttpService({
      ports: apiPorts({
        ...{ board, media, conductor, cameras, config, configFile, role, hubSide, health },
        masterPath: (take, camera, segment) => localTakes.masterPath(take, camera, segment),
        cameraSide: () => reconciler.cameraSide,
        system: system.ports(),
        update,
        metrics: async () => renderMetrics(status()),
        logRing: this.#options.logRing,
      }),
      ...{ keys, paths, simulation, log },
      version: identity.version,
      port: this.#options.port,
      health: health.register('http', { core: true }),
    });
    const telemetry = telemetryService({
      board,
      conductor,
      config,
      update,
      health,
      log,
      system: system.ports(),
    });
    const reconciler = new Reconciler({
      config: () => config.current.config,
      ...{
        identity,
        simulation,
        role,
        gpio,
        cameras,
        ports,
        pipelines,
        media,
        http,
        hubSide,
        runner,
        telemetry,
        log,
      },
      newCameraSide: ({ camera }) =>
        new CameraSide({
          settings: camera,
          self: { id: identity.id, name: name(), version: identity.version },
          state,
          status: () => ({
            sources: pipelines.status(),
            recording: status().recording.state,
            remainingS: remaining.latest,
          }),
          onCommand: (command) => obeyHub(command, conductor, reconciler.cameraSide, log),
          onChange: () => {
            reconciler.requestPushes();
            onChange();
          },
          log,
        }),
      onApplied: onChange,
    });
    const status = (): Status =>
      composeStatus(
        {
          ...{ identity, simulation, configFile, config, role, health, pipelines, hubSide, conductor },
          feeds: () => media.feeds(),
          cameraSide: () => reconciler.cameraSide,
          remainingS: () => remaining.latest,
          host: () => monitor.latest,
          tally: () => system.tally,
          update: () => update.status(),
        },
        startedAt,
      );

    const heartbeat = health.register('supervisor', { core: true, deadlineMs: heartbeatMs * 5 });
    heartbeat.ok();
    const beat = setInterval(() => {
      heartbeat.ok();
      health.check();
    }, heartbeatMs);
    using _changes = config.subscribe(({ keys: changed, snapshot }) => {
      log.level = snapshot.config.log.level;
      if (changed.length > 0) log.info({ changed }, 'the settings changed');
      board.emit({ type: 'config', ok: snapshot.problems.length === 0 });
      reconciler.request();
      onChange();
    });
    cameras.subscribe((event) => {
      board.emit(event);
      reconciler.request();
    });

    const ended = new AbortController();
    const running = AbortSignal.any([signal, ended.signal]);
    const services = [
      board.run(running),
      monitor.run(running),
      config.run(running),
      cameras.run(running),
      media.run(running),
      remaining.run(running),
      feedWatchdog(notifier, () => health.silent, log, running),
    ];
    try {
      await cameras.list();
      await reconciler.apply();
      services.push(masters.run(running), conductor.run(running), reapLater(host, running));
      notifier.notify({ READY: '1', STATUS: `${role.current.role} ${name()}` });
      log.info(
        { name: name(), role: role.current.role, url: `http://localhost:${http.reach?.port}` },
        'running',
      );
      await Promise.race([aborted(running), Promise.all(services)]);
    } finally {
      notifier.notify({ STOPPING: '1' });
      clearInterval(beat);
      ended.abort();
      await reconciler.close();
      await Promise.all(services);
    }
  }
}

/** By then everything that goes on has been taken over; what is left of an earlier run is nobody's. */
async function reapLater(host: ChildProcessHost, signal: AbortSignal): Promise<void> {
  // The only rejection is that of the signal, which is looked at next.
  await sleep(reapAfterMs, undefined, { signal }).catch(() => {});
  if (!signal.aborted) await host.reapOrphans([]);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
