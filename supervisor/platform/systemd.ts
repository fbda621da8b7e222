import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { RushlightError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';

/** What sd_notify(3) can report. */
export interface Notification {
  readonly READY?: '1';
  readonly STOPPING?: '1';
  readonly RELOADING?: '1';
  readonly WATCHDOG?: '1' | 'trigger';
  /** One line for `systemctl status`. */
  readonly STATUS?: string;
  /** More time to start or stop, in microseconds. */
  readonly EXTEND_TIMEOUT_USEC?: string;
}

/** The connection to the service manager. */
export interface Notifier extends Disposable {
  /** How often the watchdog expects a sign of life, in milliseconds; null: there is no watchdog. */
  readonly watchdogMs: number | null;
  /** Never throws; a message that cannot be sent is logged. */
  notify(notification: Notification): void;
}

/** systemd's notification socket cannot be used. */
export class NotifyError extends RushlightError {
  readonly code = 'NOTIFY_FAILED';
}

/** Makes a connection to the socket that Node.js can write to; started in front of the supervisor by its unit. */
export const notifySocketProgram = fileURLToPath(new URL('./notify-socket.pl', import.meta.url));

/**
 * Opens the connection to systemd. Node.js has no Unix datagram sockets, hence one of these, in this order: the connected
 * socket that `notify-socket.pl` left open (RUSHLIGHT_NOTIFY_FD), which costs one write per message and no process; that
 * program as a helper that stays (needs NotifyAccess=all); nothing, if no service manager asks.
 */
export function openNotifier(environment: NodeJS.ProcessEnv, logger: Logger): Notifier {
  const watchdogMs = watchdogOf(environment);
  const fd = Number(environment.RUSHLIGHT_NOTIFY_FD);
  if (Number.isInteger(fd) && fd > 2) {
    return notifier(watchdogMs, logger, (text) => writeSync(fd, text));
  }
  if (environment.NOTIFY_SOCKET !== undefined && environment.NOTIFY_SOCKET !== '') {
    return helperNotifier(watchdogMs, environment, logger);
  }
  return notifier(null, logger, () => {});
}

/**
 * Feeds the watchdog at half its time while no component is silent, until the signal is aborted. `silent` returns the
 * components that missed their deadline.
 */
export async function feedWatchdog(
  line: Notifier,
  silent: () => readonly string[],
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (line.watchdogMs === null) return;
  let reported = '';
  while (!signal.aborted) {
    const names = silent().join(', ');
    if (names === '') line.notify({ WATCHDOG: '1' });
    else if (names !== reported)
      logger.error({ silent: names }, 'the watchdog is not fed: a core component is silent');
    reported = names;
    await pause(line.watchdogMs / 2, signal);
  }
}

/** The text of a message for sd_notify(3); a value stays on its line. */
export function formatNotification(notification: Notification): string {
  return Object.entries(notification)
    .map(([name, value]) => `${name}=${String(value).replaceAll(/[\r\n\t]+/g, ' ')}`)
    .join('\n');
}

function watchdogOf({ WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid }: NodeJS.ProcessEnv): number | null {
  const ms = Number(microseconds) / 1000;
  const isForUs = pid === undefined || pid === String(process.pid);
  return isForUs && Number.isFinite(ms) && ms > 0 ? ms : null;
}

function notifier(
  watchdogMs: number | null,
  logger: Logger,
  send: (text: string) => void,
  end = () => {},
): Notifier {
  return {
    watchdogMs,
    notify(notification) {
      try {
        send(formatNotification(notification));
      } catch (error) {
        logger.warn(
          { err: new NotifyError('cannot notify systemd', { cause: error }), notification },
          'not sent',
        );
      }
    },
    [Symbol.dispose]: end,
  };
}

function helperNotifier(watchdogMs: number | null, environment: NodeJS.ProcessEnv, logger: Logger): Notifier {
  logger.info('telling systemd through a helper; a unit that starts notify-socket.pl in front needs none');
  const helper = spawn('perl', [notifySocketProgram], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: environment,
  });
  helper.on('error', (error) =>
    logger.error({ err: error }, 'cannot start the helper that notifies systemd'),
  );
  helper.stdin.on('error', (error) =>
    logger.warn({ err: error }, 'the helper that notifies systemd is gone'),
  );
  helper.unref();
  const send = (text: string) => void helper.stdin.write(`${text.replaceAll('\n', '\t')}\n`);
  return notifier(watchdogMs, logger, send, () => helper.stdin.end());
}
