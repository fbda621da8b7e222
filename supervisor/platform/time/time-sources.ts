import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../../common/files.ts';

/** The time this machine keeps: a hub serves its own to the LAN, a camera follows its hub. */
export type TimeRole =
  | { readonly kind: 'serve' }
  /** `server`: host name or address of the hub; null while it is unknown. */
  | { readonly kind: 'follow'; readonly server: string | null };

/**
 * A `.sources` file of chrony (chrony.conf(5), `sourcedir`). The hub takes precedence over every other source (`trust`), so that all
 * cameras keep one time even if the world outside has another. Polled every 8 to 32 s, which a LAN carries easily.
 */
export function sourcesFile(role: TimeRole): string {
  if (role.kind === 'serve' || role.server === null) return '# No hub to follow.\n';
  return `server ${role.server} iburst xleave minpoll 3 maxpoll 5 prefer trust\n`;
}

/** What rushlight-time.service should do: `serve` or `follow`, and `step` if the clock should jump to the right time. */
export function timeRoleFile(role: TimeRole, step: boolean): string {
  return `${role.kind}${step ? ' step' : ''}\n`;
}

/** Host of the hub's URL as chrony accepts it; null if it does not fit in a line of its configuration. */
export function serverOfUrl(url: string): string | null {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : '';
  return /^[0-9A-Za-z.:-]+$/.test(host) ? host : null;
}

/**
 * Writes the role for the system's own units: the supervisor has no right to command chronyd. `folder`: /run/rushlight. Rejects
 * with the system's error.
 */
export async function writeTimeRole(folder: string, role: TimeRole, step = false): Promise<void> {
  const sources = join(folder, 'chrony');
  await mkdir(sources, { recursive: true, mode: 0o755 });
  await replaceReadable(join(sources, 'hub.sources'), sourcesFile(role));
  // Last, because this file is the watched one.
  await replaceReadable(join(folder, 'time'), timeRoleFile(role, step));
}

/** Readable by everyone no matter the umask: chronyd runs as another user. */
async function replaceReadable(file: string, text: string): Promise<void> {
  await writeFileAtomic(file, text, { mode: 0o644, durable: false });
}
