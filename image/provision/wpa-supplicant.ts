import type { DeviceSettings, WifiNetwork } from './settings.ts';

/** The configuration of wpa_supplicant(8) as a station. Names go in as hex, so that no name can break the file. */
export function stationConf(settings: Pick<DeviceSettings, 'country' | 'wifi'>): string {
  const head = [
    '# Made at boot from what was imported from the card.',
    'ctrl_interface=DIR=/run/wpa_supplicant',
    ...(settings.country === undefined ? [] : [`country=${settings.country}`]),
  ];
  return `${[...head, ...settings.wifi.map(networkBlock)].join('\n')}\n`;
}

/** The configuration of an open access point on 2.4 GHz, for the setup page. */
export function accessPointConf(ssid: string, country: string | undefined): string {
  const lines = [
    'ctrl_interface=DIR=/run/wpa_supplicant',
    ...(country === undefined ? [] : [`country=${country}`]),
    'ap_scan=2',
    'network={',
    `  ssid=${hexOf(ssid)}`,
    '  mode=2',
    '  frequency=2437',
    '  key_mgmt=NONE',
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function networkBlock({ ssid, psk, hidden }: WifiNetwork): string {
  const key = psk === undefined ? '  key_mgmt=NONE' : `  psk=${psk.length === 64 ? psk : quoted(psk)}`;
  const security = psk === undefined ? [] : ['  key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE', '  ieee80211w=1'];
  return [
    'network={',
    `  ssid=${hexOf(ssid)}`,
    ...(hidden ? ['  scan_ssid=1'] : []),
    ...security,
    key,
    '}',
  ].join('\n');
}

/** wpa_supplicant reads up to the line's last quote: quotes inside need no escape. */
function quoted(text: string): string {
  return `"${text}"`;
}

function hexOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex');
}
