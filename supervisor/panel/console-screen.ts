import { join } from 'node:path';
import type { Logger } from 'pino';
import { writeFileAtomic } from '../../common/files.ts';
import type { Status } from '../contract/index.ts';
import { pageUrl } from '../system/page-url.ts';
import type { Reach } from '../system/reach.ts';
import { applianceState, stateSigns } from './appliance-state.ts';

/** A line of the narrowest console, 80 columns wide. */
const columns = 76;
const mistakesShown = 3;
const confirmReasons = {
  'several-hubs': 'There is, or was a few minutes ago, more than one hub on the network.',
  'forgot-hub': 'This camera was made to forget its hub.',
} as const;

/**
 * What an appliance's screen shows (overlays/rootfs/usr/libexec/rushlight/console draws it): the page's address on the first
 * line, for the QR code, then the text. Pure.
 */
export function consoleText(status: Status, reach: Pick<Reach, 'port' | 'tlsPort'>): string {
  const { device, hub, adoption, recording, config, masters } = status;
  const urlOf = (host: string) => pageUrl(host, reach);
  const page = urlOf(`${device.name}.local`);
  const addresses = status.host.network.flatMap((network) => network.addresses).filter(isPlainIpv4);
  const { sentence, looks } = stateSigns[applianceState(status)];
  const lines = [
    `Rushlight  ${device.name}  ${device.role}  ${device.version}`,
    '',
    ...[page, ...addresses.map(urlOf)],
    '',
    `${sentence} (status light: ${looks})`,
    ...(adoption === null ? [] : ['', ...codeLines([adoption, ...(adoption.others ?? [])])]),
    ...(hub === null
      ? []
      : [`Hub: ${[hub.name, hub.state, hub.reason].filter((word) => word !== null).join(', ')}`]),
    ...(recording.take === null || recording.state === 'idle' ? [] : [`Take: ${recording.take.id}`]),
    `Masters: ${masters.folder} (${masters.reason})`,
    ...lostKeys(status.health),
    ...mistakes(config.errors),
  ];
  return `${[page, ...lines.map((line) => printable(line))].join('\n')}\n`;
}

/** Writes the screen's file, which the screen watches. `folder`: /run/rushlight. */
export async function writeConsole(folder: string, text: string, log: Logger): Promise<void> {
  try {
    await writeFileAtomic(join(folder, 'console'), text, { mode: 0o640, durable: false });
  } catch (error) {
    log.error({ err: error }, 'the state could not be saved for the screen');
  }
}

type HubCode = Omit<NonNullable<Status['adoption']>, 'others'>;

function codeLines(codes: readonly HubCode[]): string[] {
  const lines = codes.map(({ code, hubName }) => `Code: ${spaced(code)}  asked for by ${hubName}`);
  const reason = codes.find(({ confirm }) => confirm !== undefined)?.confirm;
  if (reason === undefined) return lines;
  return [
    ...lines,
    confirmReasons[reason],
    'Open the page of this camera, and confirm there which hub is yours.',
  ];
}

function isPlainIpv4(address: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address) && !address.startsWith('169.254.');
}

/** An owner who lost the key can only read it here. */
function lostKeys({ components }: Status['health']): string[] {
  const isDamaged = components.some(({ name, state }) => name === 'keys' && state !== 'ok');
  return isDamaged
    ? ['', 'The key file was damaged, and keys may be gone.', 'The code below opens the page.']
    : [];
}

function mistakes(errors: Status['config']['errors']): string[] {
  if (errors.length === 0) return [];
  const shown = errors
    .slice(0, mistakesShown)
    .map(({ line, key, message }) => `  line ${line}: ${key} ${message}`);
  return ['', 'rushlight.toml has a mistake; the settings before it stay in force:', ...shown];
}

function spaced(code: string): string {
  return `${code.slice(0, 3)} ${code.slice(3)}`;
}

/** Names come from the network: they must not move the cursor. */
function printable(line: string): string {
  const plain = line.replaceAll(/[^\x20-\x7e]/g, '?');
  return plain.length <= columns ? plain : `${plain.slice(0, columns - 3)}...`;
}
