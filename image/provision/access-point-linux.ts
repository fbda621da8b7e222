import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import type { AccessPointSystem, OpenAccessPoint } from './access-point-system.ts';
import { readOptional, replaceFile, runTool } from './device.ts';
import { accessPointAddress } from './network-settings.ts';
import {
  type DeviceSettings,
  deviceSettingsSchema,
  mergeSettings,
  ssidSchema,
  type WifiNetwork,
} from './settings.ts';
import { accessPointConf, stationConf } from './wpa-supplicant.ts';

const folder = '/run/rushlight-wifi';
/** rushlight-firewall opens the setup page for the radio named in it. */
const mark = join(folder, 'access-point');
const keptSettings = '/data/system/provision/settings.json';
const networkFile = '/run/systemd/network/24-rushlight-access-point.network';
const maxNames = 30;

/** The device's own radio: wpa_supplicant for the radio link, systemd-networkd for addresses. */
export const linuxAccessPoint: AccessPointSystem = {
  interfaces: networkInterfaces,

  async findRadio() {
    for (const name of (await readdir('/sys/class/net')).toSorted()) {
      if ((await readOptional(`/sys/class/net/${name}/phy80211/name`)) !== undefined) return name;
    }
    return undefined;
  },

  async scan(radio) {
    await runTool('ip', 'link', 'set', radio, 'up');
    // A busy radio refuses; the owner can type the name.
    return namesIn(await runTool('iw', 'dev', radio, 'scan').catch(() => ''));
  },

  async open(radio, ssid, signal) {
    await runTool('systemctl', 'stop', `rushlight-wifi@${radio}.service`);
    try {
      return await raise(radio, ssid, signal);
    } catch (error) {
      await lower(radio);
      throw error;
    }
  },

  async keep(network: WifiNetwork) {
    const settings = deviceSettingsSchema.parse(mergeSettings(await settingsKept(), { wifi: [network] }));
    await replaceFile(keptSettings, `${JSON.stringify(settings, null, 2)}\n`, 0o600);
    await replaceFile(join(folder, 'station.conf'), stationConf(settings), 0o600);
  },
};

/**
 * The names in the output of `iw dev … scan`, each once. Networks that hide their name are left out, and so are names that are
 * not UTF-8: they could not be typed either. Pure.
 */
export function namesIn(scan: string): string[] {
  const names = [...scan.matchAll(/^\s*SSID: (\S.*)$/gm)].map(([, printed]) => ssidOf(printed ?? ''));
  return [...new Set(names.filter((name) => name !== null))].slice(0, maxNames);
}

/** iw prints backslashes twice, and characters other than printable ASCII, or a space at either end, as `\xNN`. */
function ssidOf(printed: string): string | null {
  const parts = printed.match(/\\x[0-9a-f]{2}|\\\\|./gisu) ?? [];
  const bytes = Buffer.concat(
    parts.map((part) => {
      if (/^\\x/i.test(part)) return Buffer.from(part.slice(2), 'hex');
      return Buffer.from(part === '\\\\' ? '\\' : part);
    }),
  );
  if (bytes.every((byte) => byte === 0)) return null;
  const name = bytes.toString('utf8');
  return Buffer.from(name, 'utf8').equals(bytes) && ssidSchema.safeParse(name).success ? name : null;
}

/** The file of systemd-networkd (systemd.network(5)) for the access point. Pure. */
export function accessPointNetwork(radio: string): string {
  return [
    '[Match]',
    `Name=${radio}`,
    '[Network]',
    `Address=${accessPointAddress}/24`,
    'DHCPServer=yes',
    '[DHCPServer]',
    // Every name is answered with our address; there is no way out, so no router is announced.
    'EmitDNS=yes',
    `DNS=${accessPointAddress}`,
    'EmitRouter=no',
    '',
  ].join('\n');
}

async function raise(radio: string, ssid: string, signal: AbortSignal): Promise<OpenAccessPoint> {
  const conf = join(folder, 'access-point.conf');
  const { country } = await settingsKept();
  await mkdir(folder, { recursive: true });
  await replaceFile(conf, accessPointConf(ssid, country), 0o600);
  // networkd runs as its own user; this unit's umask would hide both from it.
  await mkdir(dirname(networkFile), { recursive: true });
  await chmod(dirname(networkFile), 0o755);
  await replaceFile(networkFile, accessPointNetwork(radio), 0o644);
  await writeFile(mark, `${radio}\n`);
  await reload(radio);
  const child = spawn('wpa_supplicant', ['-i', radio, '-c', conf], {
    stdio: ['ignore', 'inherit', 'inherit'],
    signal,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.on('error', () => {}); // the signal's; once() reports a program that cannot be started
  await once(child, 'spawn');
  return {
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      await lower(radio);
    },
  };
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

async function settingsKept(): Promise<DeviceSettings> {
  return deviceSettingsSchema.parse(JSON.parse((await readOptional(keptSettings)) ?? '{}'));
}
