import { flushCompileCache } from 'node:module';
import { untilAborted } from '../common/pause.ts';
import { adjust } from './app/adjust.ts';
import { apiPorts } from './app/api-ports.ts';
import { type ApplianceBus, applianceBus } from './app/events.ts';
import { HttpService } from './app/http-service.ts';
import { Now } from './app/now.ts';
import { Reconciler } from './app/reconciler.ts';
import { SystemActions } from './app/system-actions.ts';
import { TelemetryService } from './app/telemetry-service.ts';
import {
  dataDiskHealth,
  followChanges,
  keepAlive,
  reapLater,
  runtimeFolder,
  startHeartbeat,
  troubleIn,
} from './app/upkeep.ts';
import { CameraRole, handleHubCommand, reportTake, reportTakes } from './camera/index.ts';
import type { Config } from './config/schema.ts';
import { HubRole } from './hub/index.ts';
import { assemblePictures } from './live/index.ts';
import { displayState, GpioPanel } from './panel/index.ts';
import { openGpioHeader } from './platform/gpio-onoff.ts';
import { findStatusLed } from './platform/light.ts';
import { machineNameOfImage } from './platform/machine-name.ts';
import { feedWatchdog, type Notifier, openNotifier } from './platform/systemd.ts';
import { ChronyClock } from './platform/time/clock.ts';
import { ExclusiveRunner } from './process/exclusive-runner.ts';
import { DeviceSelection, withUnplugged } from './sources/index.ts';
import { composeStatus, StatusBoard } from './status/index.ts';
import { CurrentRole } from './system/current-role.ts';
import { type ApplianceOptions, type Foundation, openFoundation } from './system/foundation.ts';
import { HostMonitor } from './system/host-monitor.ts';
import { publicPageUrl } from './system/page-url.ts';
import { TimeService, timeRole } from './system/time-service.ts';
import { assembleRecording } from './takes/index.ts';
import { renderMetrics } from './telemetry/index.ts';
import {
  assembleRollouts,
  assembleUpdates,
  conductsCameras,
  HubUpdates,
  reportedUpdate,
} from './updates/index.ts';

/**
 * The composition root: makes every part, starts them in order, and ends them in reverse. Read it from the top: no part gets
 * one that is made below it. What parts need to know about later ones they ask `now`; what they report goes over the bus.
 */
export class Appliance {
  readonly #options: ApplianceOptions;

  constructor(options: ApplianceOptions) {
    this.#options = options;
  }

  /** Until abort. Rejects if it cannot start: the data folder is in use, or the state cannot be read. */
  async run(signal: AbortSignal): Promise<void> {
    using notifier = openNotifier(process.env, this.#options.log);
    await using base = await openFoundation(this.#options);
    await live(base, await assemble(base), notifier, signal);
  }
}

type Parts = Awaited<ReturnType<typeof assemble>>;

/** Makes all parts. None of them does anything before `live` starts it. */
async function assemble(base: Foundation) {
  const { options, config, state, keys, identity, health, host, network, machine, log, name } = base;
  const { simulation, configFile, logRing } = options;
  const now = new Now();
  const bus = applianceBus();
  const onChange = () => void bus.emit('change');
  const onApply = () => void bus.emit('apply');
  const runner = new ExclusiveRunner();
  const role = new CurrentRole(state, log);

  const time = new TimeService({
    clock: new ChronyClock(),
    folder: runtimeFolder(),
    role: () => timeRole(role.current.role, now.hubLink),
    recording: () => now.recording,
    log,
  });
  const monitor = new HostMonitor({ host: machine, clock: () => time.latest });
  const hub = new HubRole({
    hub: { id: identity.id, name },
    keys,
    state,
    onChange,
    fingerprint: () => now.reach?.fingerprint ?? null,
    takeRunning: () => now.takeRunning,
    onUnadopt: (cameraId) => void bus.emit('unadopted', cameraId),
    onTrouble: troubleIn(health, 'cameras', (reporter, reason) => reporter.degraded(reason)),
    log,
  });
  const pictures = await assemblePictures(base, {
    linked: () => hub.cameras.list(),
    recording: () => now.recording,
    onLinkRate: onApply,
    onChange,
  });
  const { cameras, pipelines, media } = pictures;
  const recording = await assembleRecording(base, pipelines, hub.cameras, {
    onTake: (take) => void bus.emit('take', take),
    onGone: (id) => void bus.emit('take-gone', id),
    onRefusal: onChange,
  });
  const { conductor, localTakes, remaining } = recording;

  const gpio = new GpioPanel({
    header: simulation ? null : await openGpioHeader({ logger: log }),
    statusLed: simulation ? null : await findStatusLed(),
    onJumper: onApply,
    onRecordButton: () => conductor.toggle(),
    log,
  });
  const system = new SystemActions({
    host,
    runner,
    conductor,
    simulation,
    identify: () => gpio.identify(),
    onTally: () => void bus.emit('tally'),
    log,
  });

  const conducted = () => config.current.config.update.conducted;
  const update = assembleUpdates(base, runner, {
    host,
    pipelines,
    media,
    takeRunning: () => now.takeRunning,
    onChange,
    leftToRollout: () =>
      now.isHub ? conductsCameras(base, hub) : conducted() && now.camera?.belongsToHub === true,
    cameraRole: () => now.camera,
    reach: () => now.reach,
  });
  const rollouts = assembleRollouts(base, {
    update,
    hubRole: hub,
    isHub: () => now.isHub,
    takeRunning: () => now.takeRunning,
    onChange: () => void bus.emit('rollout'),
  });
  const updates = new HubUpdates({
    update,
    conducted,
    hub: () => now.camera?.access() ?? null,
    log: log.child({ part: 'update' }),
  });

  const board = new StatusBoard({
    compose: () =>
      composeStatus({
        identity,
        simulation,
        configFile,
        config,
        role,
        health,
        pipelines,
        watcher: cameras,
        conductor,
        hubRole: hub,
        startedAt: base.startedAt,
        takes: base.takes,
        feeds: pictures.feeds,
        remotes: pictures.remotes,
        outputs: pictures.outputs,
        cameraRole: () => now.camera,
        remainingS: () => remaining.latest,
        host: () => monitor.latest,
        tally: () => system.tally,
        update: () => update.status(),
        mqtt: () => now.mqtt,
        rollout: () => rollouts.status(),
      }),
  });
  const telemetry = new TelemetryService({
    adjust: (change) => adjust(change, { config, cameras, takeRunning: () => now.takeRunning }),
    board,
    conductor,
    config,
    state,
    update,
    health,
    system: system.ports(),
    rollout: rollouts.ports(),
    pictures: pictures.still,
    pageUrl: () => publicPageUrl(name(), now.reach),
    log,
  });
  const http = new HttpService({
    ports: apiPorts({
      board,
      media,
      conductor,
      cameras,
      config,
      configFile,
      now,
      health,
      update,
      logRing,
      feeds: pictures.feeds,
      outputs: () => pictures.outputs.status(),
      pictures: pictures.still,
      plugged: new DeviceSelection({
        cameras,
        plugged: pictures.plugged,
        config,
        apply: () => now.apply(),
      }).ports(),
      masterPath: (take, camera, segment) => localTakes.masterPath(take, camera, segment),
      checkTake: (id) => localTakes.checkTake(id),
      system: system.ports(),
      rollout: rollouts.ports(),
      mqtt: { accept: (id) => telemetry.accept(id), forget: () => telemetry.forget() },
      metrics: async () => renderMetrics(board.current()),
    }),
    keys,
    paths: base.paths,
    configFile,
    simulation,
    version: identity.version,
    port: options.port,
    network,
    health: health.register('http', { core: true }),
    onReach: onApply,
    log,
  });

  const newCamera = ({ camera }: Config): CameraRole => {
    const side: CameraRole = new CameraRole({
      settings: camera,
      configFile,
      obeysAll: simulation,
      self: { id: identity.id, name: name(), version: identity.version },
      status: () => ({
        sources: withUnplugged(pipelines.status(), pictures.plugged.unplugged()),
        recording: board.current().recording.state,
        remainingS: remaining.latest,
        update: reportedUpdate(update.status()),
      }),
      onLinked: () => reportTakes(side, conductor.list()),
      onCommand: (command) => handleHubCommand(command, { conductor, updates, side, log }),
      onChange: () => {
        bus.emit('pushes');
        onChange();
      },
      state,
      network,
      log,
    });
    return side;
  };
  const reconciler = new Reconciler({
    ...pictures,
    config: () => config.current.config,
    identity,
    simulation,
    role,
    now,
    gpio,
    network,
    http,
    machineName: simulation ? null : machineNameOfImage(),
    health,
    roles: {
      hub: async (signal) => {
        now.become({ kind: 'hub', hub });
        await Promise.all([hub.run(signal), rollouts.run(signal)]);
      },
      camera: async (settings, signal) => {
        const camera = newCamera(settings);
        now.become({ kind: 'camera', camera });
        await camera.run(signal);
      },
    },
    telemetry: (settings) => telemetry.serviceFor(settings),
    onApplied: () => {
      // The list of cameras says what each is used for.
      cameras.refresh();
      onChange();
    },
    log,
  });
  now.connect({ conductor, http, telemetry, reconciler });
  const parts = { ...pictures, ...recording, now, bus, board, gpio, monitor, time, role, system };
  return { ...parts, reconciler, http, update, rollouts, keeping: simulation ? null : dataDiskHealth(base) };
}

/** Who listens to what on the bus. */
function connect(bus: ApplianceBus, parts: Parts): void {
  const { board, now, reconciler, rollouts, gpio, conductor, system } = parts;
  const onChange = () => {
    board.poke();
    now.camera?.statusChanged();
  };
  const onTally = () => {
    gpio.showTally(conductor.current() !== null || system.tally === 'program');
    onChange();
  };
  bus.on('change', onChange);
  bus.on('apply', () => reconciler.request());
  bus.on('pushes', () => reconciler.requestPushes());
  bus.on('tally', onTally);
  bus.on('take', (take) => {
    board.emit({ type: 'take', take });
    if (now.camera !== null) reportTake(now.camera, take);
    onTally();
  });
  bus.on('take-gone', (id) => {
    board.emit({ type: 'take-removed', id });
    onChange();
  });
  bus.on('rollout', () => {
    const rollout = rollouts.status();
    if (rollout !== null) board.emit({ type: 'rollout', rollout });
    onChange();
  });
  bus.on('unadopted', (cameraId) => void rollouts.drop(cameraId));
}

/** Starts everything in order, and ends it in reverse. */
async function live(base: Foundation, parts: Parts, notifier: Notifier, signal: AbortSignal): Promise<void> {
  const { config, host, health, keys, log, name } = base;
  const { bus, board, cameras, media, reconciler, role, http, masters, conductor } = parts;
  const ended = new AbortController();
  const running = AbortSignal.any([signal, ended.signal]);
  connect(bus, parts);
  using _changes = followChanges(base, bus, board, cameras);
  // Revoking a key ends what is published or viewed with it.
  using cleanup = new DisposableStack();
  cleanup.defer(keys.onRevoked((keyId) => media.endSessionsOf(keyId)));
  using _heartbeat = startHeartbeat(base);
  using _display = base.options.simulation
    ? null
    : displayState({ ...parts, reach: () => http.reach, folder: runtimeFolder(), log });
  const keep = (service: string, part: { run(signal: AbortSignal): Promise<void> }) =>
    keepAlive(base, service, (until) => part.run(until), running);
  // If a part fails without which nothing can be filmed, the supervisor ends: recorders continue and are taken over by the next
  // one.
  const services = [
    cameras.run(running),
    media.run(running),
    feedWatchdog(notifier, () => health.silent, log, running),
    keep('network', base.network),
    keep('status', board),
    keep('host', parts.monitor),
    keep('remaining time', parts.remaining),
    keep('settings', config),
  ];
  try {
    // Cameras that cannot be listed now are found by a later look.
    await cameras.list().catch((error: unknown) => log.error({ err: error }, 'cameras cannot be listed'));
    // Before the page and the API are there: a take that a crash interrupted has to be found by the first request.
    services.push(masters.run(running), conductor.run(running));
    await conductor.load();
    await reconciler.apply();
    services.push(
      reapLater(host, running),
      keep('measurement', parts.measurement),
      keep('updates', parts.update),
      keep('time', parts.time),
      keep('check of masters', parts.check),
      keep('health of masters', parts.mastersHealth),
    );
    if (parts.keeping !== null) services.push(keep('data folder', parts.keeping));
    notifier.notify({ READY: '1', STATUS: `${role.current.role} ${name()}` });
    log.info({ name: name(), role: role.current.role, url: http.reach?.localUrl ?? null }, 'running');
    // If NODE_COMPILE_CACHE is set: a machine that is switched off has no later moment for it.
    flushCompileCache();
    await Promise.race([untilAborted(running), Promise.all(services)]);
  } catch (error) {
    if (!signal.aborted) base.options.onFatal?.(error);
    throw error;
  } finally {
    notifier.notify({ STOPPING: '1' });
    ended.abort();
    await reconciler.close();
    await Promise.all(services);
  }
}
