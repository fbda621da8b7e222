import { asHostName } from './loose.ts';
import type { DeviceSettingsInput, Findings } from './settings.ts';
import { sortFound } from './wifi-network.ts';
import { wpaBlocks } from './wpa-blocks.ts';

/**
 * Reads the firstrun.sh of Raspberry Pi Imager 1.x without running it: the calls of `imager_custom` and `userconf`, and the
 * wpa_supplicant block of its fallback branch. Any other kind of script gives nothing.
 */
export function parseFirstRun(text: string): Findings {
  const settings: DeviceSettingsInput = { wifi: [], sshKeys: [] };
  for (const line of text.split(/\r?\n/)) readCommand(shellWords(line), settings);
  const { wifi, problems } = sortFound(wpaBlocks(text));
  for (const { ssid, psk, hidden = false } of wifi) addNetwork(settings, ssid, psk, hidden);
  settings.country ??= /^\s*country=([A-Z]{2})\s*$/m.exec(text)?.[1];
  return { settings, ignored: [], problems };
}

function readCommand(words: readonly string[], settings: DeviceSettingsInput): void {
  const program = words[0]?.split('/').pop();
  if (program === 'userconf') settings.user ??= words[1];
  if (program !== 'imager_custom') return;
  const [, command, ...rest] = words;
  if (command === 'set_hostname') settings.hostname = asHostName(rest[0]);
  if (command === 'set_timezone') settings.timeZone = rest[0];
  if (command === 'set_keymap') settings.keymap = rest[0];
  if (command === 'enable_ssh' && rest[0] === '-k')
    settings.sshKeys = [...(settings.sshKeys ?? []), ...rest.slice(1)];
  if (command === 'set_wlan') {
    const options = rest.slice(
      0,
      Math.max(
        0,
        rest.findIndex((word) => !/^-[hp]$/.test(word)),
      ),
    );
    const [ssid, psk, country] = rest.slice(options.length);
    if (ssid !== undefined) addNetwork(settings, ssid, psk, options.includes('-h'));
    if (country !== undefined) settings.country = country.toUpperCase();
  }
}

function addNetwork(
  settings: DeviceSettingsInput,
  ssid: string,
  psk: string | undefined,
  hidden: boolean,
): void {
  const others = (settings.wifi ?? []).filter((network) => network.ssid !== ssid);
  settings.wifi = [...others, { ssid, hidden, ...(psk === undefined || psk === '' ? {} : { psk }) }];
}

/** The words of a simple command, with single quotes, double quotes and backslashes by POSIX's rules. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const pattern = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|(\s+)|([^\s'"\\]+)|(['"\\])/g;
  for (const [, single, double, escaped, space, plain, stray] of line.matchAll(pattern)) {
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = `${word ?? ''}${single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? stray ?? ''}`;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
