import { readdir } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { routes } from '../../contract/index.ts';
import { pathPattern } from '../path-match.ts';

const controls = pathPattern(routes.setControls.path);

/**
 * Distinguishes our paths from the backend's: a path is ours if a route of the contract has it, with any method (a wrong method
 * is our 405), or if it is one of our pages. Controls of the backend's own cameras are the backend's.
 */
export function ownPaths(
  pages: ReadonlySet<string>,
  backendId: (id: string) => string | null = () => null,
): (path: string) => boolean {
  const patterns = [...new Set(Object.values(routes).map(({ path }) => path))].map(pathPattern);
  return (path) => {
    if (pages.has(path)) return true;
    const device = controlledDevice(path);
    if (device !== null && backendId(device) !== null) return false;
    return patterns.some((pattern) => pattern.test(path));
  };
}

/** A request target in the backend's terms: its cameras may be listed under other ids, if ours have the same. */
export function backendTarget(target: string, backendId: (id: string) => string | null): string {
  const device = controlledDevice(pathOf(target));
  const own = device === null ? null : backendId(device);
  if (own === null || own === device) return target;
  const parts = originForm(target).split('/');
  return [...parts.slice(0, 3), encodeURIComponent(own), ...parts.slice(4)].join('/');
}

/** The camera whose controls a path addresses; null for other paths. */
function controlledDevice(path: string): string | null {
  return controls.test(path) ? decoded(path.split('/')[3] ?? '') : null;
}

/** Paths of the built pages; those of the manual's folders end in a slash, so that `/docs` stays the backend's. */
export async function pagePaths(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => `/${relative(folder, `${entry.parentPath}${sep}${entry.name}`).split(sep).join('/')}`);
  const folders = files.filter((file) => /^\/docs\/(?:.*\/)?index\.html$/.test(file));
  return new Set(['/', ...files, ...folders.map((file) => file.slice(0, -'index.html'.length))]);
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
    // Not percent-encoding: used unchanged.
    return part;
  }
}
