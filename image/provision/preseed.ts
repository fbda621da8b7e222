import { parse } from 'smol-toml';
import { ProvisionFileError } from './errors.ts';
import { asHostName, asKeys, asRecord, asText, asTruth } from './loose.ts';
import type { Findings } from './settings.ts';
import { foundNetwork, sortFound } from './wifi-network.ts';

/**
 * Reads the TOML that Imager leaves for Raspberry Pi OS's own first-boot setup (`custom.toml`, and the same tables under the
 * name rpi-preseed.toml): [system], [user], [ssh], [wlan], [locale]. Throws {@link ProvisionFileError} if it is not TOML.
 */
export function parsePreseed(file: string, text: string): Findings {
  let data: Record<string, unknown>;
  try {
    data = parse(text);
  } catch (cause) {
    throw new ProvisionFileError(file, 'not readable as TOML', { cause });
  }
  const { system, user, ssh, wlan, locale } = data;
  const network = asRecord(wlan);
  const ssid = asText(network.ssid);
  const key = network.password;
  const psk = key === undefined || key === '' ? undefined : (asText(key) ?? null);
  const { wifi, problems } = sortFound(
    ssid === undefined ? [] : [foundNetwork({ ssid, hidden: asTruth(network.hidden), psk })],
  );
  return {
    settings: {
      hostname: asHostName(asRecord(system).hostname),
      user: asText(asRecord(user).name),
      sshKeys: asKeys(asRecord(ssh).authorized_keys),
      country: asText(network.country)?.toUpperCase(),
      wifi,
      timeZone: asText(asRecord(locale).timezone),
      keymap: asText(asRecord(locale).keymap),
    },
    ignored: Object.keys(data).filter(
      (name) => !['config_version', 'system', 'user', 'ssh', 'wlan', 'locale'].includes(name),
    ),
    problems,
  };
}
