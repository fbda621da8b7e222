import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProvisionPaths, pointTo, readOptional, replaceFile, runTool, serialNumber } from './device.ts';
import { configuredName, hostName, withOwnerName } from './identity.ts';
import { importedFiles, importFiles } from './import.ts';
import { type DeviceSettings, deviceSettingsSchema } from './settings.ts';
import { stationConf } from './wpa-supplicant.ts';

export interface Provisioned {
  readonly hostname: string;
  readonly settings: DeviceSettings;
  readonly notes: readonly string[];
}

/**
 * One boot's provisioning: imports what lies on the card, keeps it on the data partition, removes the secrets from the
 * card (only after they are safely kept), and lays out what the system reads. Idempotent.
 */
export async function provision(paths: ProvisionPaths): Promise<Provisioned> {
  const kept = join(paths.state, 'provision', 'settings.json');
  const earlier = await readSettings(kept);
  const files = new Map<string, string>();
  for (const name of Object.keys(importedFiles)) {
    const text = await readOptional(join(paths.card, name));
    if (text !== undefined) files.set(name, text);
  }
  const { settings, redacted, notes } = importFiles(files, earlier.settings);
  await mkdir(join(paths.state, 'provision'), { recursive: true, mode: 0o700 });
  await replaceFile(kept, `${JSON.stringify(settings, null, 2)}\n`, 0o600);
  for (const [name, text] of redacted) await replaceFile(join(paths.card, name), text, 0o640);

  const hostname = await layOut(paths, settings);
  return { hostname, settings, notes: [...earlier.notes, ...notes] };
}

async function readSettings(path: string): Promise<{ settings: DeviceSettings; notes: string[] }> {
  const text = await readOptional(path);
  if (text === undefined) return { settings: deviceSettingsSchema.parse({}), notes: [] };
  try {
    return { settings: deviceSettingsSchema.parse(JSON.parse(text)), notes: [] };
  } catch {
    // Better a camera without its Wi-Fi than one that does not start: the card can be written again.
    return {
      settings: deviceSettingsSchema.parse({}),
      notes: ['the settings kept from the card were unreadable'],
    };
  }
}

/** Writes what sshd, wpa_supplicant and libc read. Answers the host name. */
async function layOut(paths: ProvisionPaths, settings: DeviceSettings): Promise<string> {
  const { run, state, sysroot } = paths;
  await mkdir(join(state, 'ssh'), { recursive: true, mode: 0o755 });
  await mkdir(join(run, 'rushlight-wifi'), { recursive: true, mode: 0o700 });
  const keys = settings.sshKeys.map((key) => `${key}\n`).join('');
  await replaceFile(join(state, 'ssh', 'authorized_keys'), keys, 0o644);
  await replaceFile(join(run, 'rushlight-wifi', 'station.conf'), stationConf(settings), 0o600);

  const zone = settings.timeZone ?? 'Etc/UTC';
  await pointTo(join(run, 'rushlight-localtime'), join('/usr/share/zoneinfo', zone));
  const passwd = (await readOptional(join(sysroot, 'etc/passwd'))) ?? '';
  await replaceFile(join(run, 'rushlight-passwd'), withOwnerName(passwd, settings.user), 0o644);

  return hostName({
    configured: configuredName((await readOptional(join(paths.card, 'rushlight.toml'))) ?? ''),
    imported: settings.hostname,
    serial: await serialNumber(sysroot),
    machineId: ((await readOptional(join(sysroot, 'etc/machine-id'))) ?? '0000').trim(),
  });
}

/** The part that needs the running system: host name, account names, regulatory domain, SSH's host key. */
export async function applyToSystem(paths: ProvisionPaths, result: Provisioned): Promise<string[]> {
  const { settings } = result;
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await attempt('host name', () => writeFile('/proc/sys/kernel/hostname', result.hostname));
  if (settings.user !== undefined) {
    await attempt('account', () =>
      runTool('mount', '--bind', join(paths.run, 'rushlight-passwd'), '/etc/passwd'),
    );
  }
  if (settings.country !== undefined) {
    const { country } = settings;
    await attempt('regulatory domain', () => runTool('iw', 'reg', 'set', country));
  }
  const hostKey = join(paths.state, 'ssh', 'ssh_host_ed25519_key');
  if (settings.sshKeys.length > 0 && (await readOptional(hostKey)) === undefined) {
    await attempt('SSH host key', () =>
      runTool('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', hostKey),
    );
  }
  return failures;
}
