import { setTimeout as sleep } from 'node:timers/promises';
import { pause } from '../../common/pause.ts';
import type { AccessPointSystem } from './access-point-system.ts';
import { AccessPointClosedError } from './errors.ts';
import { answerEveryName } from './name-server.ts';
import { type AccessPointSettings, accessPointAddress, hasNetwork } from './network-settings.ts';
import { askForWifi } from './setup-page.ts';

/** Times in milliseconds. */
export interface AccessPointTimes {
  readonly pollMs: number;
  /** Without an answer for this long the known networks are tried again: a router may have been off. */
  readonly visitMs: number;
}

/** Ports of the access point's servers. */
export interface AccessPointPorts {
  /** The firewall redirects port 80 of the access point there. */
  readonly page: number;
  /** And port 53. */
  readonly names: number;
}

/** What the access point needs. */
export interface KeepReachableOptions {
  readonly settings: AccessPointSettings;
  readonly system: AccessPointSystem;
  readonly log: (line: string) => void;
  readonly times?: AccessPointTimes;
  readonly ports?: AccessPointPorts;
}

const usualTimes: AccessPointTimes = { pollMs: 5000, visitMs: 10 * 60_000 };
const usualPorts: AccessPointPorts = { page: 8088, names: 8053 };

/** Opens the access point while there is no network, until the signal. Does nothing on a machine without a radio. */
export async function keepReachable(options: KeepReachableOptions, signal: AbortSignal): Promise<void> {
  const { settings, system, times = usualTimes } = options;
  let sinceMs = performance.now();
  while (!signal.aborted) {
    if (hasNetwork(system.interfaces())) sinceMs = performance.now();
    const isDue = performance.now() - sinceMs >= settings.afterMs;
    const radio = isDue ? await system.findRadio() : undefined;
    if (radio !== undefined) {
      await openOnce(radio, options, signal);
      sinceMs = performance.now();
    }
    await pause(times.pollMs, signal);
  }
}

/** One opening: until a network was entered, no one came, another network appeared, or the radio failed. */
async function openOnce(radio: string, options: KeepReachableOptions, signal: AbortSignal): Promise<void> {
  const { settings, system, log, times = usualTimes, ports = usualPorts } = options;
  const seen = await system.scan(radio);
  const closing = new AbortController();
  const ends = AbortSignal.any([signal, closing.signal, AbortSignal.timeout(times.visitMs)]);
  await using accessPoint = await system.open(radio, settings.ssid, ends);
  log(`access point ${settings.ssid} is open`);
  try {
    const network = await Promise.race([
      askForWifi({ port: ports.page, name: settings.ssid, seen }, ends),
      answerEveryName(ports.names, accessPointAddress, ends).then(() => null),
      otherNetwork(system, times.pollMs, ends).then(() => null),
      accessPoint.ended.then(() => null),
    ]);
    if (network !== null) await system.keep(network);
  } catch (error) {
    // No one came, or we have to end: both close the access point.
    if (!ends.aborted) throw error;
  } finally {
    closing.abort(new AccessPointClosedError('the access point is closed'));
    log('access point is closed');
  }
}

async function otherNetwork(system: AccessPointSystem, pollMs: number, signal: AbortSignal): Promise<void> {
  while (!hasNetwork(system.interfaces())) await sleep(pollMs, undefined, { signal });
}
