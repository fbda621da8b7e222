import type { Findings } from './settings.ts';
import { sortFound } from './wifi-network.ts';
import { wpaBlocks } from './wpa-blocks.ts';

/** A wpa_supplicant.conf beside the settings, as guides have said for years. */
export function parseWpaSupplicant(text: string): Findings {
  const { wifi, problems } = sortFound(wpaBlocks(text));
  const country = /^\s*country\s*=\s*"?([A-Za-z]{2})"?\s*$/m.exec(text)?.[1]?.toUpperCase();
  return { settings: { wifi, country }, ignored: [], problems };
}

/** userconf.txt: `name:hash` of the account. Only its name is used; SSH takes keys alone. */
export function parseAccount(text: string): Findings {
  const [name = '', hash] = (text.trim().split(/\r?\n/, 1)[0] ?? '').split(':');
  const isGone = hash === undefined || hash === '';
  return { settings: name === '' ? {} : { user: name }, ignored: isGone ? [] : ['a password for SSH'] };
}
