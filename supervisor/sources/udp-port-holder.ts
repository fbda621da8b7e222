/** Finds which process of this machine has a UDP port, as far as /proc shows it to us. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { hasErrorCode } from '../../common/errors.ts';

/** Command line of the process that has the port on IPv4; null if it cannot be seen. */
export async function udpPortHolder(port: number): Promise<readonly string[] | null> {
  const inode = inodeOf(await textOf('/proc/net/udp'), port);
  if (inode === null) return null;
  const wanted = `socket:[${inode}]`;
  for (const pid of await entriesOf('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await entriesOf(`/proc/${pid}/fd`)) {
      if ((await targetOf(`/proc/${pid}/fd/${fd}`)) !== wanted) continue;
      return (await textOf(`/proc/${pid}/cmdline`)).split('\0').filter((argument) => argument !== '');
    }
  }
  return null;
}

/** The socket bound to a port, in the table of /proc/net/udp (proc(5)). */
export function inodeOf(table: string, port: number): string | null {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(wanted)) return columns[9] ?? null;
  }
  return null;
}

async function entriesOf(folder: string): Promise<string[]> {
  return await orElse(readdir(folder), []);
}

async function textOf(file: string): Promise<string> {
  return await orElse(readFile(file, 'utf8'), '');
}

async function targetOf(link: string): Promise<string> {
  return await orElse(readlink(link), '');
}

/** Processes end during the search, and those of other users do not show what they have open. */
async function orElse<T>(reading: Promise<T>, fallback: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'ENOTDIR')) return fallback;
    throw error;
  }
}
