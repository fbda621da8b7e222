import { readdir } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { routes } from '../contract.ts';
import { pathPattern } from '../path-match.ts';

/**
 * Tells our paths from the backend's: a path is ours if a route of the contract has it, whatever the method (a wrong
 * method is our 405), or if it is one of our pages. Controls of the backend's own cameras are the backend's.
 */
export function ownPaths(
  pages: ReadonlySet<string>,
  isBackendDevice: (id: string) => boolean = () => false,
): (path: string) => boolean {
  const patterns = [...new Set(Object.values(routes).map(({ path }) => path))].map(pathPattern);
  const controls = pathPattern(routes.setControls.path);
  return (path) => {
    if (pages.has(path)) return true;
    if (controls.test(path) && isBackendDevice(decoded(path.split('/')[3] ?? ''))) return false;
    return patterns.some((pattern) => pattern.test(path));
  };
}

/** Paths of the built pages. */
export async function pagePaths(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => `/${relative(folder, `${entry.parentPath}${sep}${entry.name}`).split(sep).join('/')}`);
  return new Set(['/', ...files]);
}

/** Path of a request target, without query: `/a/b?c` and `http://host/a/b?c` both have `/a/b`. */
export function pathOf(target: string): string {
  return originForm(target).split('?')[0] ?? '/';
}

/** A request target as a server expects it (RFC 9112 section 3.2.1). */
export function originForm(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  if (absolute === null) return target;
  const rest = target.slice(absolute[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Not percent-encoding: it stands for itself.
    return part;
  }
}
