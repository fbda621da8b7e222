import { isRedacted } from './redact.ts';
import { type FoundNetwork, foundNetwork } from './wifi-network.ts';

/**
 * The `network={ … }` blocks of a wpa_supplicant.conf(5), anywhere in a text. As wpa_supplicant reads them: a block ends at a
 * line with only `}`, a quoted value at the line's last quote. A network whose key was redacted is left out. Pure.
 */
export function wpaBlocks(text: string): FoundNetwork[] {
  const found: FoundNetwork[] = [];
  let block: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    if (/^network\s*=\s*\{$/.test(line)) block = new Map();
    else if (block !== undefined && line === '}') {
      found.push(...networkOf(block));
      block = undefined;
    } else if (block !== undefined && !line.startsWith('#')) {
      const [, key, value] = /^([a-z0-9_]+)\s*=\s*(.*)$/i.exec(line) ?? [];
      if (key !== undefined) block.set(key.toLowerCase(), value ?? '');
    }
  }
  return found;
}

function networkOf(block: ReadonlyMap<string, string>): FoundNetwork[] {
  const ssid = textOf(block.get('ssid'));
  if (ssid === undefined || ssid === null) return [];
  const key = ['psk', 'sae_password'].map((name) => block.get(name)).find((value) => value !== undefined);
  if (isRedacted(key)) return [];
  const ways = (block.get('key_mgmt') ?? '').split(/\s+/).filter((way) => way !== '');
  return [
    foundNetwork({
      ssid,
      hidden: block.get('scan_ssid') === '1',
      psk: keyOf(key),
      needsMore:
        ['eap', 'identity', 'wep_key0'].some((name) => block.has(name)) ||
        (ways.length > 0 && !ways.some((way) => way === 'NONE' || /^(WPA-PSK|SAE|FT-PSK|FT-SAE)/.test(way))),
    }),
  ];
}

/** A key: a pass phrase in quotes, or 64 hex digits without; null if it is neither. */
function keyOf(value: string | undefined): string | null | undefined {
  if (value === undefined || /^[0-9a-f]{64}$/i.test(value)) return value;
  return value.startsWith('"') ? (textOf(value) ?? null) : null;
}

/** Text in quotes, or its bytes in hex; null if it is neither, undefined if it is absent. */
function textOf(value: string | undefined): string | null | undefined {
  if (value === undefined) return undefined;
  const quoted = /^"(.*)"\s*(?:#.*)?$/.exec(value)?.[1];
  if (quoted !== undefined) return quoted;
  if (!/^(?:[0-9a-f]{2})+$/i.test(value)) return null;
  const bytes = Buffer.from(value, 'hex');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}
