import { parseDocument } from 'yaml';
import { ProvisionFileError } from './errors.ts';
import { asArray, asRecord, asText, asTexts, type Loose } from './loose.ts';
import type { DeviceSettingsInput, Findings } from './settings.ts';

/** Keys of user-data that are honoured. Everything else of cloud-init is named as ignored: there is no cloud-init here. */
const known = new Set([
  'hostname',
  'fqdn',
  'manage_etc_hosts',
  'users',
  'user',
  'ssh_authorized_keys',
  'timezone',
  'locale',
  'keyboard',
  'packages',
  'apt',
  'enable_ssh',
  'ssh_pwauth',
  'rpi',
]);

/**
 * Reads cloud-init's user-data as Raspberry Pi Imager writes it (`#cloud-config`, YAML).
 * Throws {@link ProvisionFileError} where it is no YAML mapping.
 */
export function parseUserData(text: string): Findings {
  const data = parseYaml('user-data', text);
  const users = [...asArray(data.users), data.user].map(asRecord);
  const owner = users.find((user) => asText(user.name) !== undefined);
  const settings: DeviceSettingsInput = {
    hostname: (asText(data.hostname) ?? asText(data.fqdn))?.split('.')[0]?.toLowerCase(),
    user: asText(owner?.name),
    sshKeys: [
      ...asTexts(data.ssh_authorized_keys),
      ...users.flatMap((user) => asTexts(user.ssh_authorized_keys)),
    ],
    timeZone: asText(data.timezone),
    locale: asText(data.locale),
    keymap: asText(asRecord(data.keyboard).layout),
  };
  return { settings, ignored: Object.keys(data).filter((key) => !known.has(key)) };
}

/**
 * Reads cloud-init's network-config: netplan's `wifis` (version 2, with or without the `network` level).
 * Throws {@link ProvisionFileError} where it is no YAML mapping.
 */
export function parseNetworkConfig(text: string): Findings {
  const file = parseYaml('network-config', text);
  const network = 'network' in file ? asRecord(file.network) : file;
  const interfaces = Object.values(asRecord(network.wifis)).map(asRecord);
  const wifi = interfaces.flatMap((one) =>
    Object.entries(asRecord(one['access-points'])).map(([ssid, point]) => {
      const { password, auth, hidden } = asRecord(point);
      const psk = asText(password) ?? asText(asRecord(auth).password);
      return { ssid, hidden: hidden === true, ...(psk === undefined ? {} : { psk }) };
    }),
  );
  const country = interfaces
    .map((one) => asText(one['regulatory-domain']))
    .find((code) => code !== undefined);
  const fixed = [...interfaces, ...Object.values(asRecord(network.ethernets)).map(asRecord)];
  const ignored = fixed.some((one) => asArray(one.addresses).length > 0) ? ['addresses'] : [];
  return { settings: { wifi, country: country?.toUpperCase() }, ignored };
}

function parseYaml(file: string, text: string): Loose {
  let data: unknown;
  try {
    const document = parseDocument(text, { schema: 'core', logLevel: 'error' });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    data = document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new ProvisionFileError(file, 'not readable as YAML', { cause });
  }
  if (data === null || data === undefined) return {};
  if (typeof data !== 'object' || Array.isArray(data)) {
    throw new ProvisionFileError(file, 'expected a mapping of keys');
  }
  return data as Loose;
}
