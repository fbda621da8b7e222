import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type DestinationStream, type Logger, pino } from 'pino';
import { describeError, errorCode, RushlightError } from '../common/errors.ts';
import { Appliance } from './appliance.ts';
import { createLogger } from './system/log.ts';
import { LogRing } from './system/log-ring.ts';
import { simulationPort } from './system/simulation.ts';

/** Reads argv and the environment, runs the appliance until a signal, and sets the exit code. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { simulation: { type: 'boolean', default: false } } });
  const { RUSHLIGHT_CONFIG, RUSHLIGHT_DATA, RUSHLIGHT_PORT } = process.env;
  const dataFolder = resolve(RUSHLIGHT_DATA ?? (values.simulation ? 'data' : '/data/rushlight'));
  const configFile = resolve(
    RUSHLIGHT_CONFIG ??
      (values.simulation ? join(dataFolder, 'rushlight.toml') : '/boot/rushlight/rushlight.toml'),
  );
  const logRing = new LogRing();
  const log = createLogger({ level: 'info', destination: await logDestination(logRing) });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const appliance = new Appliance({
    configFile,
    dataFolder,
    port: portOf(RUSHLIGHT_PORT) ?? (values.simulation ? simulationPort : null),
    simulation: values.simulation,
    // On a device the service manager starts the next supervisor, which takes over what records; a developer's machine has
    // none.
    ...(values.simulation
      ? {}
      : {
          onFatal: (error) => {
            report(error, log);
            process.exit(1);
          },
        }),
    log,
    logRing,
  });
  try {
    await appliance.run(stop.signal);
    return 0;
  } catch (error) {
    report(error, log);
    return 1;
  }
}

function report(error: unknown, log: Logger): void {
  // An error that a person can fix is reported with its hint; the place in the code does not help then.
  const hint = error instanceof RushlightError && error.hint !== undefined ? `\n${error.hint}` : '';
  log.fatal(hint === '' ? { err: error } : { code: errorCode(error) }, describeError(error));
  process.stderr.write(`\nRushlight cannot run: ${describeError(error)}${hint}\n`);
}

/** Everything goes to the ring; standard output gets it as JSON, or readable if a person reads it. */
async function logDestination(ring: LogRing): Promise<DestinationStream> {
  const out = process.stdout.isTTY ? await readable() : pino.destination({ fd: 1, sync: true });
  return pino.multistream([
    { level: 'trace', stream: out },
    { level: 'trace', stream: ring },
  ]);
}

/** Loaded only here: on the device no one reads it, and memory is short. */
async function readable(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ colorize: true, sync: true });
}

function portOf(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  process.stderr.write(`RUSHLIGHT_PORT is "${text}"; a port is a number from 0 to 65535.\n`);
  process.exit(2);
}

process.exit(await main());
