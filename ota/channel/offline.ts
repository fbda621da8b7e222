import { join } from 'node:path';
import { list, stat } from '../../common/disk-fs.ts';
import { ifThere } from '../../common/files.ts';

/** A bundle found on a plugged-in medium. */
export interface FoundBundle {
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Looks for `*.raucb` in the given folders and one level below (`/media/<stick>/`), the newest file first. A folder that does
 * not exist, or disappeared while it was read, counts as empty. What cannot be read (a broken stick, one that does not answer) is
 * reported and left out.
 */
export async function findBundles(
  folders: readonly string[],
  onUnreadable: (path: string, error: unknown) => void,
): Promise<FoundBundle[]> {
  const ask = async <T>(path: string, question: (path: string) => Promise<T>): Promise<T | null> => {
    try {
      return await ifThere(question(path));
    } catch (error) {
      onUnreadable(path, error);
      return null;
    }
  };
  const pathsIn = async (folder: string) =>
    ((await ask(folder, list)) ?? []).map((name) => join(folder, name));
  const found: (FoundBundle & { changedMs: number })[] = [];
  for (const folder of folders) {
    for (const path of await pathsIn(folder)) {
      const files = isBundle(path) ? [path] : (await pathsIn(path)).filter(isBundle);
      for (const file of files) {
        const info = await ask(file, stat);
        if (info?.isFile() === true)
          found.push({ path: file, sizeBytes: info.size, changedMs: info.mtimeMs });
      }
    }
  }
  found.sort((a, b) => b.changedMs - a.changedMs || a.path.localeCompare(b.path));
  return found.map(({ path, sizeBytes }) => ({ path, sizeBytes }));
}

function isBundle(path: string): boolean {
  return path.endsWith('.raucb');
}
