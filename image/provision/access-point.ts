import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readOptional, replaceFile, runTool } from './device.ts';
import { type AccessPointSettings, accessPointAddress, hasNetwork } from './network-settings.ts';
import { deviceSettingsSchema, mergeSettings, type WifiNetwork } from './settings.ts';
import { askForWifi } from './setup-page.ts';
import { accessPointConf, stationConf } from './wpa-supplicant.ts';

const pollMs = 5000;
const setupPort = 8088;
/** After so long without a visitor the known networks are tried again: a router may have been off. */
const visitMs = 10 * 60_000;

const folder = '/run/rushlight-wifi';
const mark = join(folder, 'access-point');
const keptSettings = '/data/system/provision/settings.json';
const networkFile = '/run/systemd/network/24-rushlight-access-point.network';

/** Opens the access point while there is no network, until the signal. Nothing happens on a machine without a radio. */
export async function keepReachable(settings: AccessPointSettings, signal: AbortSignal): Promise<void> {
  let since = Date.now();
  while (!signal.aborted) {
    if (hasNetwork(networkInterfaces())) since = Date.now();
    const radio = Date.now() - since < settings.afterMs ? undefined : await findRadio();
    if (radio !== undefined) {
      await openAccessPoint(radio, settings, signal);
      since = Date.now();
    }
    // The only rejection is that of the signal, which the loop looks at.
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}

async function findRadio(): Promise<string | undefined> {
  for (const name of (await readdir('/sys/class/net')).toSorted()) {
    if ((await readOptional(`/sys/class/net/${name}/phy80211/name`)) !== undefined) return name;
  }
  return undefined;
}

/** One opening: until a network was entered and kept, nobody came, or another network turned up. */
async function openAccessPoint(
  radio: string,
  settings: AccessPointSettings,
  signal: AbortSignal,
): Promise<void> {
  const seen = await scan(radio);
  const closing = new AbortController();
  const ends = AbortSignal.any([signal, closing.signal, AbortSignal.timeout(visitMs)]);
  await runTool('systemctl', 'stop', `rushlight-wifi@${radio}.service`);
  const supplicant = await raise(radio, settings, ends);
  process.stdout.write(`access point ${settings.ssid} is open\n`);
  try {
    const name = settings.ssid;
    const network = await Promise.race([
      askForWifi({ port: setupPort, name, seen }, ends),
      otherNetwork(ends).then(() => null),
    ]);
    if (network !== null) await keep(network);
  } catch (error) {
    // Nobody came, or we are to end: both close the access point.
    if (!ends.aborted) throw error;
  } finally {
    closing.abort(new Error('the access point is closed'));
    supplicant.kill('SIGTERM');
    await lower(radio);
    process.stdout.write('access point is closed\n');
  }
}

async function otherNetwork(signal: AbortSignal): Promise<void> {
  while (!hasNetwork(networkInterfaces())) await sleep(pollMs, undefined, { signal });
}

async function scan(radio: string): Promise<string[]> {
  await runTool('ip', 'link', 'set', radio, 'up');
  // A busy radio refuses; the owner can type the name.
  const text = await runTool('iw', 'dev', radio, 'scan').catch(() => '');
  return [...new Set([...text.matchAll(/^\s*SSID: (\S.*)$/gm)].map(([, ssid]) => ssid ?? ''))].slice(0, 30);
}

async function raise(radio: string, { ssid }: AccessPointSettings, signal: AbortSignal) {
  const conf = join(folder, 'access-point.conf');
  const { country } = await settingsKept();
  await replaceFile(conf, accessPointConf(ssid, country), 0o600);
  await mkdir('/run/systemd/network', { recursive: true });
  const lines = [
    '[Match]',
    `Name=${radio}`,
    '[Network]',
    `Address=${accessPointAddress}/24`,
    'DHCPServer=yes',
  ];
  await writeFile(networkFile, `${[...lines, '[DHCPServer]', 'EmitDNS=no', 'EmitRouter=no'].join('\n')}\n`);
  await writeFile(mark, `${radio}\n`);
  await reload(radio);
  const child = spawn('wpa_supplicant', ['-i', radio, '-c', conf], {
    stdio: ['ignore', 'inherit', 'inherit'],
    signal,
  });
  child.on('error', () => {}); // ended by the signal
  await once(child, 'spawn');
  return child;
}

async function lower(radio: string): Promise<void> {
  await rm(networkFile, { force: true });
  await rm(mark, { force: true });
  await reload(radio);
  await runTool('systemctl', 'start', `rushlight-wifi@${radio}.service`);
}

async function reload(radio: string): Promise<void> {
  await runTool('networkctl', 'reload');
  await runTool('networkctl', 'reconfigure', radio);
  await runTool('systemctl', 'restart', 'rushlight-firewall.service');
}

async function settingsKept() {
  return deviceSettingsSchema.parse(JSON.parse((await readOptional(keptSettings)) ?? '{}'));
}

async function keep(network: WifiNetwork): Promise<void> {
  const settings = deviceSettingsSchema.parse(mergeSettings(await settingsKept(), { wifi: [network] }));
  await replaceFile(keptSettings, `${JSON.stringify(settings, null, 2)}\n`, 0o600);
  await replaceFile(join(folder, 'station.conf'), stationConf(settings), 0o600);
}
