import { parseDocument } from 'yaml';
import { ProvisionFileError } from './errors.ts';
import { asArray, asHostName, asKeys, asRecord, asText, asTruth, type Loose } from './loose.ts';
import type { DeviceSettingsInput, Findings } from './settings.ts';
import { foundNetwork, sortFound } from './wifi-network.ts';

/** Keys of user-data that are used. Every other key of cloud-init is reported as ignored: there is no cloud-init here. */
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
 * Reads cloud-init's user-data as Raspberry Pi Imager writes it (`#cloud-config`, YAML). Throws {@link ProvisionFileError} if
 * it is no YAML mapping.
 */
export function parseUserData(text: string): Findings {
  const data = parseYaml('user-data', text);
  const users = [...asArray(data.users), data.user].map(asRecord);
  const owner = users.find((user) => asText(user.name) !== undefined);
  const settings: DeviceSettingsInput = {
    hostname: asHostName(data.hostname) ?? asHostName(data.fqdn),
    user: asText(owner?.name),
    sshKeys: [
      ...asKeys(data.ssh_authorized_keys),
      ...users.flatMap((user) => asKeys(user.ssh_authorized_keys)),
    ],
    timeZone: asText(data.timezone),
    locale: asText(data.locale),
    keymap: asText(asRecord(data.keyboard).layout),
  };
  return { settings, ignored: Object.keys(data).filter((key) => !known.has(key)) };
}

/**
 * Reads cloud-init's network-config: netplan's `wifis` (version 2, with or without the `network` level). Throws {@link
 * ProvisionFileError} if it is no YAML mapping.
 */
export function parseNetworkConfig(text: string): Findings {
  const file = parseYaml('network-config', text);
  const network = 'network' in file ? asRecord(file.network) : file;
  const version = asText(network.version);
  if (version !== undefined && version !== '2')
    return { settings: {}, ignored: [], problems: [`version ${version} of the format is not read; 2 is`] };
  const interfaces = Object.values(asRecord(network.wifis)).map(asRecord);
  const points = interfaces.flatMap((one) => Object.entries(asRecord(one['access-points'])));
  const { wifi, problems } = sortFound(points.map(([ssid, point]) => networkOf(ssid, asRecord(point))));
  const country = interfaces
    .map((one) => asText(one['regulatory-domain']))
    .find((code) => code !== undefined);
  const fixed = [...interfaces, ...Object.values(asRecord(network.ethernets)).map(asRecord)];
  const ignored = [
    ...Object.keys(network).filter((key) => !knownOfNetwork.has(key)),
    ...(fixed.some((one) => asArray(one.addresses).length > 0) ? ['addresses'] : []),
  ];
  return { settings: { wifi, country: country?.toUpperCase() }, ignored, problems };
}

const knownOfNetwork: ReadonlySet<string> = new Set(['version', 'renderer', 'wifis', 'ethernets']);

/** What an `auth` with a plain key may contain; anything else is a user name, a certificate, or the like. */
const knownOfAuth: ReadonlySet<string> = new Set(['key-management', 'password']);

function networkOf(ssid: string, point: Loose) {
  const auth = asRecord(point.auth);
  const way = asText(auth['key-management']);
  // A key that is not text, or whose place was left empty, still counts as a key. A network that needs a key, but names none, is not an open network.
  const key = point.password !== undefined ? point.password : auth.password;
  const isEmpty = key === '' && way !== 'none';
  const psk = typeof key === 'object' || isEmpty ? null : asText(key);
  return foundNetwork({
    ssid,
    hidden: asTruth(point.hidden),
    psk: psk === undefined && ['psk', 'sae'].includes(way ?? '') ? null : psk,
    needsMore:
      (way !== undefined && !['none', 'psk', 'sae'].includes(way)) ||
      Object.keys(auth).some((name) => !knownOfAuth.has(name)) ||
      ![undefined, 'infrastructure'].includes(asText(point.mode)),
  });
}

function parseYaml(file: string, text: string): Loose {
  let data: unknown;
  try {
    // Everything is text: a password of digits keeps its zeros, and one that reads `no` is not a truth value.
    // The last of two equal keys counts, as for cloud-init.
    const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error', uniqueKeys: false });
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
