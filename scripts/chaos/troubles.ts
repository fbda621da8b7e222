import { type DiskRule, nothingIsWritten } from '../testing/disk-faults/disk-faults.ts';
import { apiPort } from '../testing/machine.ts';
import type { diskTroubles, settingChanges } from './plan.ts';
import { brokerPort, takenPort, tlsPort } from './stage.ts';

/** What a disk in trouble does. Pure. */
export function diskRules(trouble: (typeof diskTroubles)[number]): readonly DiskRule[] {
  switch (trouble) {
    case 'slow fsync':
      return ['sync delay 400'];
    case 'short writes':
      return ['write short 700', 'write EIO every 50'];
    default:
      return nothingIsWritten(trouble);
  }
}

/** The settings after a change. Pure. */
export function changedSettings(settings: string, change: (typeof settingChanges)[number]): string {
  const port = `\nport = ${apiPort}\n`;
  switch (change) {
    case 'a port that is taken':
      return settings.replace(port, `\nport = ${takenPort}\n`);
    case 'another port':
      return settings.replace(port, `\nport = ${apiPort + 1}\n`);
    case 'one port for both':
      return settings.replace(port, `\nport = ${tlsPort}\n`);
    case 'an address that is gone':
      return settings.replace('"0.0.0.0"', '"10.77.0.99"');
    case 'a certificate that is missing':
      return settings.replace('tls = true', 'tls = true\ncert_file = "/none.pem"\nkey_file = "/none.key"');
    case 'no text at all':
      return '';
    case 'garbage':
      return settings.replace('[http]', '[http\0').replace('=', '==');
    case 'an unknown key':
      return settings.replace('[http]', '[http]\nprot = 1');
    case 'another strategy':
      return settings.replace('"direct"', '"spool"');
    case 'more log':
      return `${settings}[log]\nlevel = "debug"\n`;
    case 'a broker that is not there':
      return settings.replace(`:${brokerPort}"`, ':1"');
  }
}
