import { pause } from '../../common/pause.ts';
import type { CameraWatcher } from '../platform/cameras/camera-watcher.ts';
import { inMemoryNote, readKeptData } from '../platform/kept-data.ts';
import type { ChildProcessHost } from '../process/child-process-host.ts';
import { keepRunning, type ServiceRun } from '../process/keep-running.ts';
import type { StatusBoard } from '../status/index.ts';
import type { Foundation } from '../system/foundation.ts';
import type { Health, HealthReporter } from '../system/health.ts';
import { TroubleWatch } from '../system/trouble-watch.ts';
import type { ApplianceBus } from './events.ts';

const heartbeatMs = 2000;
const reapAfterMs = 5000;

/** systemd sets it; the image's own units wait for files there. Null without systemd. */
export function runtimeFolder(): string | null {
  return process.env.RUNTIME_DIRECTORY?.split(':')[0] ?? null;
}

/** A component of the health that is listed only while something is wrong with it. Call with null once it is fine. */
export function troubleIn(
  health: Health,
  component: string,
  say: (reporter: HealthReporter, reason: string) => void,
): (reason: string | null) => void {
  let reporter: HealthReporter | null = null;
  return (reason) => {
    if (reason === null) {
      reporter?.[Symbol.dispose]();
      reporter = null;
      return;
    }
    reporter ??= health.register(component, { core: false });
    say(reporter, reason);
  };
}

/** A service that fails is started again, and is listed in the health until it runs. */
export async function keepAlive(
  { health, log }: Pick<Foundation, 'health' | 'log'>,
  name: string,
  run: ServiceRun,
  signal: AbortSignal,
): Promise<void> {
  const onTrouble = troubleIn(health, `${name} service`, (reporter, reason) => reporter.failed(reason));
  await keepRunning(run, { name, log, onTrouble }, signal);
}

/**
 * Watches whether the data folder still keeps what this appliance learns: otherwise no one would notice that it does not until
 * the next start.
 */
export function dataDiskHealth({ health, paths, log }: Foundation): TroubleWatch {
  const files = { folder: paths.root, mounts: '/proc/self/mounts', note: inMemoryNote };
  return new TroubleWatch({
    trouble: () => readKeptData(files),
    register: () => health.register('data', { core: false }),
    logLine: 'settings are not being saved to the card',
    log,
  });
}

/** Changed settings and cameras have to be applied, and the page gets them. */
export function followChanges(
  { config, log }: Foundation,
  bus: ApplianceBus,
  board: StatusBoard,
  cameras: CameraWatcher,
): Disposable {
  const changes = config.subscribe(({ keys, snapshot }) => {
    log.level = snapshot.config.log.level;
    if (keys.length > 0) log.info({ changed: keys }, 'the settings changed');
    board.emit({ type: 'config', ok: snapshot.problems.length === 0 });
    bus.emit('apply');
    board.poke();
  });
  const unsubscribe = cameras.subscribe((event) => {
    board.emit(event);
    bus.emit('apply');
  });
  return {
    [Symbol.dispose]: () => {
      changes[Symbol.dispose]();
      unsubscribe();
    },
  };
}

/** Shows that the event loop turns; otherwise the watchdog restarts the supervisor. */
export function startHeartbeat({ health }: Foundation): Disposable {
  const heartbeat = health.register('supervisor', { core: true, deadlineMs: heartbeatMs * 5 });
  heartbeat.ok();
  const timer = setInterval(() => {
    heartbeat.ok();
    health.check();
  }, heartbeatMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** By then everything that continues has been taken over; what is left of an earlier run belongs to no one. */
export async function reapLater(host: ChildProcessHost, signal: AbortSignal): Promise<void> {
  await pause(reapAfterMs, signal);
  if (!signal.aborted) await host.reapOrphans([]);
}
