import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A bundle found on a plugged-in medium. */
export interface FoundBundle {
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Looks for `*.raucb` in the given folders and one level below (`/media/<stick>/`), the newest file first. A folder that does
 * not exist, or disappeared while it was read, counts as empty.
 */
export async function findBundles(folders: readonly string[]): Promise<FoundBundle[]> {
  const found: (FoundBundle & { changedMs: number })[] = [];
  for (const folder of folders) {
    for (const name of await entriesOf(folder)) {
      const path = join(folder, name);
      const inner = name.endsWith('.raucb')
        ? [path]
        : (await entriesOf(path)).map((each) => join(path, each));
      for (const each of inner.filter((candidate) => candidate.endsWith('.raucb'))) {
        const info = await stat(each).catch(() => null); // Unplugged between the two looks.
        if (info?.isFile() === true)
          found.push({ path: each, sizeBytes: info.size, changedMs: info.mtimeMs });
      }
    }
  }
  found.sort((a, b) => b.changedMs - a.changedMs || a.path.localeCompare(b.path));
  return found.map(({ path, sizeBytes }) => ({ path, sizeBytes }));
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    // Not a folder, not readable, or gone: nothing to find there.
    return [];
  }
}
