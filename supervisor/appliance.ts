import { flushCompileCache } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiPorts } from './app/api-ports.ts';
import { HttpService } from './app/http-service.ts';
import { Reconciler } from './app/reconciler.ts';
import { SystemActions } from './app/system-actions.ts';
import { TelemetryService } from './app/telemetry-service.ts';
import { CameraRole } from './camera/camera-role.ts';
import { handleHubCommand, reportTake, reportTakes } from './camera/hub-commands.ts';
import type { Config } from './config/schema.ts';
import type { Status, Take } from './contract/index.ts';
import { HubRole } from './hub/hub-role.ts';
import { assemblePictures } from './live/live.ts';
import { GpioPanel } from './panel/gpio-panel.ts';
import { displayState } from './panel/state-display.ts';
import { openGpioHeader } from './platform/gpio-onoff.ts';
import { inMemoryNote, readKeptData } from './platform/kept-data.ts';
import { findStatusLed } from './platform/light.ts';
import { feedWatchdog, type Notifier, openNotifier } from './platform/systemd.ts';
import { ChronyClock } from './platform/time/clock.ts';
import type { ChildProcessHost } from './process/child-process-host.ts';
import { ExclusiveRunner } from './process/exclusive-runner.ts';
import { keepRunning, type ServiceRun } from './process/keep-running.ts';
import { DeviceSelection } from './sources/device-selection.ts';
import { withUnplugged } from './sources/source-status.ts';
import { StatusBoard } from './status/status-board.ts';
import { composeStatus } from './status/status-composer.ts';
import { CurrentRole } from './system/current-role.ts';
import { DataDiskHealth } from './system/data-disk-health.ts';
import { type ApplianceOptions, type Foundation, openFoundation } from './system/foundation.ts';
import type { HealthReporter } from './system/health.ts';
import { HostMonitor } from './system/host-monitor.ts';
import { publicPageUrl } from './system/page-url.ts';
import { TimeService, timeRole } from './system/time-service.ts';
import { assembleRecording } from './takes/recording.ts';
import { renderMetrics } from './telemetry/prometheus/metrics.ts';
import { reportedUpdate } from './updates/fleet-members.ts';
import { HubUpdates } from './updates/hub-updates.ts';
import { assembleRollouts, assembleUpdates, conductsCameras } from './updates/updates.ts';

const heartbeatMs = 2000;
const reapAfterMs = 5000;

/**
 * The composition root: makes every part, starts them in order, and ends them in reverse. Only here and in appliance/
 * the media plane and updates are wired in.
 */
export class Appliance {
  readonly #options: ApplianceOptions;

  constructor(options: ApplianceOptions) {
    this.#options = options;
  }

  /** Until abort. Rejects where it cannot start: folder in use, port taken, state unreadable. */
  async run(signal: AbortSignal): Promise<void> {
    using notifier = openNotifier(process.env, this.#options.log);
    await using base = await openFoundation(this.#options);
    const house = await assemble(base);
    await live(base, house, notifier, signal);
  }
}

/** The parts that have a life of their own. */
type House = Awaited<ReturnType<typeof assemble>>;

async function assemble(base: Foundation) {
  const { options, config, state, keys, identity, health, host, network, machine, log, name } = base;
  const { simulation, configFile, logRing } = options;
  const board = new StatusBoard({ compose: () => status() });
  const onChange = () => {
    board.poke();
    reconciler.cameraRole?.statusChanged();
  };
  const time = new TimeService({
    clock: new ChronyClock(),
    folder: runtimeFolder(),
    role: () => timeRole(role.current.role, reconciler.cameraRole?.link ?? null),
    recording: () => conductor.current() !== null,
    log,
  });
  const monitor = new HostMonitor({ host: machine, clock: () => time.latest });
  const role = new CurrentRole(state, log);
  const runner = new ExclusiveRunner();
  const pictures = await assemblePictures(base, {
    linked: () => hubRole.cameras.list(),
    recording: () => conductor.current() !== null,
    onLinkRate: () => reconciler.request(),
    onChange,
  });
  let camerasTrouble: HealthReporter | null = null;
  const hubRole = new HubRole({
    hub: { id: identity.id, name },
    ...{ keys, state, onChange, log },
    fingerprint: () => http.reach?.fingerprint ?? null,
    takeRunning: () => takeRunning(),
    alongside: (signal) => rollouts.run(signal),
    onUnadopt: (cameraId) => rollouts.drop(cameraId),
    onTrouble: (reason) => {
      if (reason === null) camerasTrouble?.[Symbol.dispose]();
      camerasTrouble =
        reason === null ? null : (camerasTrouble ?? health.register('cameras', { core: false }));
      camerasTrouble?.degraded(reason ?? '');
    },
  });
  const onTake = (take: Take) => {
    board.emit({ type: 'take', take });
    const side = reconciler.cameraRole;
    if (side !== null) reportTake(side, take);
    showTally();
  };
  const onGone = (id: string) => {
    board.emit({ type: 'take-removed', id });
    onChange();
  };
  const told = { onTake, onGone, onRefusal: onChange };
  const recording = await assembleRecording(base, pictures.pipelines, hubRole.cameras, told);
  const { conductor, localTakes, remaining } = recording;
  const gpio = new GpioPanel({
    header: simulation ? null : await openGpioHeader({ logger: log }),
    statusLed: simulation ? null : await findStatusLed(),
    onJumper: () => reconciler.request(),
    onRecordButton: () => conductor.toggle(),
    log,
  });
  const system = new SystemActions({
    ...{ host, runner, conductor, simulation, log },
    identify: () => gpio.identify(),
    onTally: () => showTally(),
  });
  const showTally = () => {
    gpio.showTally(conductor.current() !== null || system.tally === 'program');
    onChange();
  };
  const { cameras, pipelines, media } = pictures;
  const isHub = () => role.current.role === 'hub';
  const conducted = () => config.current.config.update.conducted;
  const takeRunning = () =>
    conductor.current() !== null ||
    (isHub() ? hubRole.isRecording : reconciler.cameraRole?.hubTakes === true);
  const update = assembleUpdates(base, runner, {
    ...{ host, pipelines, media, takeRunning, onChange },
    leftToRollout: () =>
      isHub() ? conductsCameras(base, hubRole) : conducted() && reconciler.cameraRole?.belongsToHub === true,
    cameraRole: () => reconciler.cameraRole,
    reach: () => http.reach,
  });
  const rollouts = assembleRollouts(base, {
    ...{ update, hubRole, isHub, takeRunning },
    onChange: () => {
      const rollout = rollouts.status();
      if (rollout !== null) board.emit({ type: 'rollout', rollout });
      onChange();
    },
  });
  const updates = new HubUpdates({
    ...{ update, conducted },
    hub: () => reconciler.cameraRole?.access() ?? null,
    log: log.child({ part: 'update' }),
  });
  const http = new HttpService({
    ports: apiPorts({
      ...{ board, media, conductor, cameras, config, configFile, role, hubRole, health, update, logRing },
      ...{ feeds: pictures.feeds, pictures: pictures.still },
      plugged: new DeviceSelection({
        ...{ cameras, plugged: pictures.plugged, config },
        apply: () => reconciler.apply(),
      }).ports(),
      masterPath: (take, camera, segment) => localTakes.masterPath(take, camera, segment),
      checkTake: (id) => localTakes.checkTake(id),
      cameraRole: () => reconciler.cameraRole,
      system: system.ports(),
      rollout: rollouts.ports(),
      mqtt: { accept: (id) => telemetry.accept(id), forget: () => telemetry.forget() },
      metrics: async () => renderMetrics(status()),
    }),
    ...{
      keys,
      paths: base.paths,
      configFile,
      simulation,
      log,
      version: identity.version,
      port: options.port,
    },
    network,
    health: health.register('http', { core: true }),
    onReach: () => reconciler.request(),
  });
  const telemetry = new TelemetryService({
    ...{ board, conductor, config, state, update, health, log },
    system: system.ports(),
    rollout: rollouts.ports(),
    pictures: pictures.still,
    pageUrl: () => publicPageUrl(name(), http.reach),
  });
  const newCameraRole = ({ camera }: Config) =>
    new CameraRole({
      settings: camera,
      configFile,
      obeysAll: simulation,
      self: { id: identity.id, name: name(), version: identity.version },
      status: () => ({
        sources: withUnplugged(pipelines.status(), pictures.plugged.unplugged()),
        recording: status().recording.state,
        remainingS: remaining.latest,
        update: reportedUpdate(update.status()),
      }),
      onLinked: () => reportTakes(reconciler.cameraRole, conductor.list()),
      onCommand: (command) =>
        handleHubCommand(command, { conductor, updates, side: reconciler.cameraRole, log }),
      onChange: () => {
        reconciler.requestPushes();
        onChange();
      },
      ...{ state, network, log },
    });
  const reconciler = new Reconciler({
    config: () => config.current.config,
    ...{
      ...pictures,
      identity,
      simulation,
      role,
      gpio,
      network,
      http,
      hubRole,
      runner,
      newCameraRole,
      health,
      log,
    },
    telemetry: (settings) => telemetry.serviceFor(settings),
    onApplied: () => {
      // What a camera is used for is told to whoever looks at the list.
      cameras.refresh();
      onChange();
    },
  });
  const status = (): Status =>
    composeStatus({
      ...{ identity, simulation, configFile, config, role, health, pipelines, hubRole, conductor },
      ...{ startedAt: base.startedAt, takes: base.takes },
      ...{ feeds: pictures.feeds, remotes: pictures.remotes },
      cameraRole: () => reconciler.cameraRole,
      remainingS: () => remaining.latest,
      host: () => monitor.latest,
      tally: () => system.tally,
      update: () => update.status(),
      mqtt: () => telemetry.link,
      rollout: () => rollouts.status(),
    });
  const keeping = simulation ? null : dataDiskHealth(base);
  return { board, gpio, monitor, time, role, reconciler, http, update, keeping, ...pictures, ...recording };
}

/** Starts everything in order, and ends it in reverse. */
async function live(base: Foundation, house: House, notifier: Notifier, signal: AbortSignal): Promise<void> {
  const { config, host, health, log, name } = base;
  const { reconciler, role, http, masters, conductor } = house;
  const ended = new AbortController();
  const running = AbortSignal.any([signal, ended.signal]);
  using _changes = followChanges(base, house);
  using _revocations = cutRevoked(base, house);
  using _heartbeat = startHeartbeat(base);
  using _display = base.options.simulation
    ? null
    : displayState({ ...house, reach: () => http.reach, folder: runtimeFolder(), log });
  const keep = (name: string, part: { run(signal: AbortSignal): Promise<void> }) =>
    keepAlive(base, name, (until) => part.run(until), running);
  // What nothing could be filmed without ends the supervisor where it fails: recorders go on and are taken over by the next.
  const services = [
    ...[house.cameras, house.media].map((part) => part.run(running)),
    feedWatchdog(notifier, () => health.silent, log, running),
    ...[keep('network', base.network), keep('status', house.board), keep('host', house.monitor)],
    ...[keep('remaining time', house.remaining), keep('settings', config)],
  ];
  try {
    // Cameras that cannot be listed now are found by a later look.
    await house.cameras
      .list()
      .catch((error: unknown) => log.error({ err: error }, 'cameras cannot be listed'));
    // Before the page and the API are there: whoever asks for a take that a crash interrupted finds it.
    services.push(masters.run(running), conductor.run(running));
    await conductor.load();
    await reconciler.apply();
    services.push(reapLater(host, running));
    services.push(keep('measurement', house.measurement), keep('updates', house.update));
    services.push(keep('time', house.time), keep('check of masters', house.check));
    services.push(keep('health of masters', house.mastersHealth));
    if (house.keeping !== null) services.push(keep('data folder', house.keeping));
    notifier.notify({ READY: '1', STATUS: `${role.current.role} ${name()}` });
    const url = http.reach?.localUrl ?? null;
    log.info({ name: name(), role: role.current.role, url }, 'running');
    // Where NODE_COMPILE_CACHE is set: who ends with the power has no other moment for it.
    flushCompileCache();
    await Promise.race([aborted(running), Promise.all(services)]);
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

/** A service that fails is started again, and has a place in the health until it runs. */
async function keepAlive(
  { health, log }: Foundation,
  name: string,
  run: ServiceRun,
  signal: AbortSignal,
): Promise<void> {
  let reporter: HealthReporter | null = null;
  const onTrouble = (reason: string | null) => {
    if (reason === null) reporter?.[Symbol.dispose]();
    reporter = reason === null ? null : (reporter ?? health.register(`${name} service`, { core: false }));
    reporter?.failed(reason ?? '');
  };
  await keepRunning(run, { name, log, onTrouble }, signal);
}

function dataDiskHealth({ health, paths, log }: Foundation): DataDiskHealth {
  const files = { folder: paths.root, mounts: '/proc/self/mounts', note: inMemoryNote };
  return new DataDiskHealth({
    trouble: () => readKeptData(files),
    register: () => health.register('data', { core: false }),
    log,
  });
}

/** systemd sets it; the image's own units wait for files there. */
function runtimeFolder(): string | null {
  return process.env.RUNTIME_DIRECTORY?.split(':')[0] ?? null;
}

/** What changes by itself asks for being applied: settings and cameras. */
function followChanges({ config, log }: Foundation, { board, cameras, reconciler }: House): Disposable {
  const changes = config.subscribe(({ keys, snapshot }) => {
    log.level = snapshot.config.log.level;
    if (keys.length > 0) log.info({ changed: keys }, 'the settings changed');
    board.emit({ type: 'config', ok: snapshot.problems.length === 0 });
    reconciler.request();
    board.poke();
  });
  const unsubscribe = cameras.subscribe((event) => {
    board.emit(event);
    reconciler.request();
  });
  return {
    [Symbol.dispose]: () => {
      changes[Symbol.dispose]();
      unsubscribe();
    },
  };
}

/** Whoever publishes or views with a key that is revoked is cut off. */
function cutRevoked({ keys }: Foundation, { media }: House): Disposable {
  return { [Symbol.dispose]: keys.onRevoked((keyId) => media.endSessionsOf(keyId)) };
}

/** Shows that the event loop turns; the watchdog bites where it does not. */
function startHeartbeat({ health }: Foundation): Disposable {
  const heartbeat = health.register('supervisor', { core: true, deadlineMs: heartbeatMs * 5 });
  heartbeat.ok();
  const timer = setInterval(() => {
    heartbeat.ok();
    health.check();
  }, heartbeatMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
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
