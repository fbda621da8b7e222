import { readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SystemRoots } from './video-nodes.ts';

/**
 * Names of the video nodes that a process has open, as far as our rights let us see. V4L2 has no call to ask whether a device
 * streams, and opening it to try would disturb it.
 */
export async function openVideoNodes(roots: SystemRoots): Promise<Set<string>> {
  const open = new Set<string>();
  for (const pid of await list(roots.proc)) {
    if (!/^\d+$/.test(pid)) continue;
    const folder = join(roots.proc, pid, 'fd');
    const targets = await Promise.all((await list(folder)).map((fd) => target(join(folder, fd))));
    for (const path of targets)
      if (dirname(path) === roots.dev && /\/video\d+$/.test(path)) open.add(basename(path));
  }
  return open;
}

async function list(folder: string): Promise<string[]> {
  // Processes end while we look, and those of other users are not readable.
  return await readdir(folder).catch(() => []);
}

async function target(link: string): Promise<string> {
  return await readlink(link).catch(() => '');
}
