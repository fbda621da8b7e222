import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../common/errors.ts';
import {
  type ProvisionPaths,
  pointTo,
  readCardText,
  readOptional,
  replaceFile,
  runTool,
  serialNumber,
} from './device.ts';
import { configuredName, hostName, withOwnerName } from './identity.ts';
import { accept, importedFiles, importFiles } from './import.ts';
import { asRecord } from './loose.ts';
import { type DeviceSettings, deviceSettingsSchema } from './settings.ts';
import { stationConf } from './wpa-supplicant.ts';

/** The result of one boot's provisioning. */
export interface Provisioned {
  readonly hostname: string;
  readonly settings: DeviceSettings;
  readonly notes: readonly string[];
}

/**
 * One boot's provisioning: imports the card's files, keeps them on the data partition, writes what the system reads, and
 * removes the secrets from the card (only after they are safely kept). Idempotent. A card or a data partition that accepts no
 * more writes is noted: the machine must have its network anyway.
 */
export async function provision(paths: ProvisionPaths): Promise<Provisioned> {
  const kept = join(paths.state, 'provision', 'settings.json');
  const earlier = await readSettings(kept);
  const files = new Map<string, string>();
  for (const name of Object.keys(importedFiles)) {
    const text = await readCardText(join(paths.card, name));
    if (text !== undefined) files.set(name, text);
  }
  const names = await namesIn(paths.card);
  const { settings, redacted, notes } = importFiles(files, earlier.settings);
  const troubles: string[] = [];
  const isKept = await attempt(troubles, 'the settings from the card could not be kept', async () => {
    await mkdir(join(paths.state, 'provision'), { recursive: true, mode: 0o700 });
    await replaceFile(kept, `${JSON.stringify(settings, null, 2)}\n`, 0o600);
  });
  await attempt(troubles, 'keys for SSH could not be kept', async () => {
    await mkdir(join(paths.state, 'ssh'), { recursive: true, mode: 0o755 });
    const keys = settings.sshKeys.map((key) => `${key}\n`).join('');
    await replaceFile(join(paths.state, 'ssh', 'authorized_keys'), keys, 0o644);
  });
  const hostname = await layOut(paths, settings, troubles);
  for (const [name, text] of isKept ? redacted : []) {
    await attempt(troubles, `secrets are still in ${name}`, () =>
      replaceFile(join(paths.card, name), text, 0o640),
    );
  }
  return {
    hostname,
    settings,
    notes: [...earlier.notes, ...notes, ...misnamed(names), ...sshFlag(names, settings), ...troubles],
  };
}

/** True if the work was done; otherwise the reason is added to the troubles. */
async function attempt(troubles: string[], what: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    troubles.push(`${what}: ${describeError(error)}`);
    return false;
  }
}

/** What was kept earlier. An invalid value, or one that this version rejects, affects only itself. */
async function readSettings(path: string): Promise<{ settings: DeviceSettings; notes: string[] }> {
  const nothing = deviceSettingsSchema.parse({});
  const notes: string[] = [];
  try {
    const kept: unknown = JSON.parse((await readOptional(path)) ?? '{}');
    if (asRecord(kept) !== kept) throw new SyntaxError('not a table');
    return { settings: accept('settings kept from the card', nothing, asRecord(kept), notes), notes };
  } catch {
    // Better a camera without its Wi-Fi than one that does not start: the card can be written again.
    return { settings: nothing, notes: ['the settings kept from the card were unreadable'] };
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    // A card that cannot be listed has been noted with each file that could not be read.
    return [];
  }
}

/** A file named ssh opened SSH with a password elsewhere. Here a key does that. Pure. */
function sshFlag(names: readonly string[], { sshKeys }: DeviceSettings): string[] {
  const flag = names.find((name) => ['ssh', 'ssh.txt'].includes(name.toLowerCase()));
  if (flag === undefined || sshKeys.length > 0) return [];
  return [`${flag}: a public key opens SSH, not this file; give Imager one, or put it into user-data`];
}

/** Files that an editor gave a second ending, which many PCs do not show. Pure. */
function misnamed(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const meant = /^(.+)\.txt$/i.exec(name)?.[1]?.toLowerCase();
    return meant !== undefined &&
      meant !== 'userconf' &&
      [...Object.keys(importedFiles), 'rushlight.toml'].includes(meant)
      ? [`${name} is not read: rename it to ${meant}`]
      : [];
  });
}

/** Writes what wpa_supplicant and libc read. Returns the host name. */
async function layOut(paths: ProvisionPaths, settings: DeviceSettings, troubles: string[]): Promise<string> {
  const { run, sysroot } = paths;
  await mkdir(join(run, 'rushlight-wifi'), { recursive: true, mode: 0o700 });
  await replaceFile(join(run, 'rushlight-wifi', 'station.conf'), stationConf(settings), 0o600);

  const zones = '/usr/share/zoneinfo';
  const wanted = settings.timeZone ?? 'Etc/UTC';
  const isKnown = await isFile(join(sysroot, zones, wanted));
  if (!isKnown && settings.timeZone !== undefined)
    troubles.push('the time zone is not known to this system, which uses UTC; choose one by its city');
  await pointTo(join(run, 'rushlight-localtime'), join(zones, isKnown ? wanted : 'Etc/UTC'));
  const passwd = (await readOptional(join(sysroot, 'etc/passwd'))) ?? '';
  await replaceFile(join(run, 'rushlight-passwd'), withOwnerName(passwd, settings.user), 0o644);

  const sources = {
    imported: settings.hostname,
    serial: await serialNumber(sysroot),
    machineId: ((await readOptional(join(sysroot, 'etc/machine-id'))) ?? '0000').trim(),
  };
  // The product takes its default name from here: page, certificate and QR code have the same name as DHCP and avahi.
  const unnamed = hostName({ ...sources, configured: undefined });
  await replaceFile(join(run, 'rushlight-name'), `${unnamed}\n`, 0o644);
  return configuredName((await readCardText(join(paths.card, 'rushlight.toml'))) ?? '') ?? unnamed;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The part that needs the running system: host name, account names, regulatory domain, SSH's host key. */
export async function applyToSystem(paths: ProvisionPaths, result: Provisioned): Promise<string[]> {
  const { settings } = result;
  const failures: string[] = [];
  await attempt(failures, 'host name', () => writeFile('/proc/sys/kernel/hostname', result.hostname));
  if (settings.user !== undefined) {
    await attempt(failures, 'account', () =>
      runTool('mount', '--bind', join(paths.run, 'rushlight-passwd'), '/etc/passwd'),
    );
  }
  if (settings.country !== undefined) {
    // Without a radio, or before its driver is loaded, it cannot be set; wpa_supplicant sets it again from its own file.
    await runTool('iw', 'reg', 'set', settings.country).catch(() => '');
  }
  const hostKey = join(paths.state, 'ssh', 'ssh_host_ed25519_key');
  if (settings.sshKeys.length > 0 && (await readOptional(hostKey)) === undefined) {
    await attempt(failures, 'SSH host key', () =>
      runTool('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', hostKey),
    );
  }
  return failures;
}
