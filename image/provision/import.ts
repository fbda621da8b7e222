import { parseNetworkConfig, parseUserData } from './cloud-init.ts';
import { ProvisionFileError } from './errors.ts';
import { parseFirstRun } from './firstrun.ts';
import { parseAccount, parseWpaSupplicant } from './older-files.ts';
import { parsePreseed } from './preseed.ts';
import { isRedacted, redact, redactAccount } from './redact.ts';
import {
  type DeviceSettings,
  type DeviceSettingsInput,
  deviceSettingsSchema,
  type Findings,
  mergeSettings,
} from './settings.ts';

/** The files that Imager, older guides and people leave on partition 1, weakest first. */
export const importedFiles: Readonly<Record<string, (text: string) => Findings>> = {
  userconf: parseAccount,
  'userconf.txt': parseAccount,
  'wpa_supplicant.conf': parseWpaSupplicant,
  'firstrun.sh': parseFirstRun,
  'custom.toml': (text) => parsePreseed('custom.toml', text),
  'rpi-preseed.toml': (text) => parsePreseed('rpi-preseed.toml', text),
  'network-config': parseNetworkConfig,
  'user-data': parseUserData,
};

/** What was found on the card. */
export interface Imported {
  readonly settings: DeviceSettings;
  /** New contents of the files that contained secrets. */
  readonly redacted: ReadonlyMap<string, string>;
  /** What could not be read or is not supported here, in words for the console. Never contains a value. */
  readonly notes: readonly string[];
}

/**
 * Adds what the card's files say to what is known already. A file that cannot be read, and a value that is invalid, is noted
 * and left out; bad contents never cause an exception. Pure.
 */
export function importFiles(files: ReadonlyMap<string, string>, earlier: DeviceSettings): Imported {
  const notes: string[] = [];
  let settings = earlier;
  for (const [name, parse] of Object.entries(importedFiles)) {
    const text = files.get(name);
    if (text === undefined) continue;
    try {
      const found = parse(text);
      notes.push(...found.ignored.map((key) => `${name}: ${key} is not done by this appliance`));
      notes.push(...(found.problems ?? []).map((problem) => `${name}: ${problem}`));
      settings = accept(name, settings, withoutRedacted(found.settings), notes);
    } catch (error) {
      if (!(error instanceof ProvisionFileError)) throw error;
      notes.push(error.message);
    }
  }
  const secrets = settings.wifi.flatMap((network) => (network.psk === undefined ? [] : [network.psk]));
  const redacted = new Map<string, string>();
  for (const name of Object.keys(importedFiles)) {
    const text = files.get(name);
    const withoutHash = name.startsWith('userconf') && text !== undefined ? redactAccount(text) : text;
    const clean = withoutHash === undefined ? undefined : redact(withoutHash, secrets);
    if (clean !== undefined && clean !== text) redacted.set(name, clean);
  }
  return { settings, redacted, notes };
}

/** Takes each setting on its own: a wrong one must not affect the others. Pure, but for the notes it adds. */
export function accept(
  file: string,
  earlier: DeviceSettings,
  found: DeviceSettingsInput,
  notes: string[],
): DeviceSettings {
  let settings = earlier;
  for (const [key, value] of Object.entries(found)) {
    if (value === undefined) continue;
    const candidates = Array.isArray(value) ? value.map((one) => ({ [key]: [one] })) : [{ [key]: value }];
    for (const candidate of candidates) {
      const result = deviceSettingsSchema.safeParse(mergeSettings(settings, candidate));
      if (result.success) settings = result.data;
      else notes.push(`${file}: ${key} is not usable: ${result.error.issues[0]?.message ?? 'invalid'}`);
    }
  }
  return settings;
}

/** What an earlier import left behind is not new: a network without its key would replace the one that has it. */
function withoutRedacted(found: DeviceSettingsInput): DeviceSettingsInput {
  return {
    ...found,
    user: isRedacted(found.user) ? undefined : found.user,
    wifi: (found.wifi ?? []).filter(({ ssid, psk }) => !isRedacted(ssid) && !isRedacted(psk)),
  };
}
