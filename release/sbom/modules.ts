import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A module of npm as it lies in a tree. */
export interface Module {
  readonly name: string;
  readonly version: string;
  /** SPDX expression as the module states it; null if it states none. */
  readonly licence: string | null;
  readonly homepage: string | null;
  readonly folder: string;
}

/** All modules below a `node_modules` folder, also those that lie in other modules, by name and version. */
export function modulesIn(nodeModules: string): Module[] {
  return packagesOf(nodeModules)
    .flatMap((folder) => {
      const nested = join(folder, 'node_modules');
      return [moduleOf(folder), ...(isFolder(nested) ? modulesIn(nested) : [])];
    })
    .sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/** The files of a folder that hold its licence, by name. */
export function licenceFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice)/i.test(name) && !isFolder(join(folder, name)))
    .sort(compare)
    .map((name) => join(folder, name));
}

function packagesOf(nodeModules: string): string[] {
  return readdirSync(nodeModules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(nodeModules, name)).map((inner) => join(nodeModules, name, inner))
        : [join(nodeModules, name)],
    )
    .filter((folder) => isFolder(folder));
}

function moduleOf(folder: string): Module {
  const { name, version, license, licenses, homepage } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  return { name, version, licence: licenceOf(license ?? licenses), homepage: homepage ?? null, folder };
}

/** Old packages state it as an object, or as a list of which one may be chosen. */
function licenceOf(stated: unknown): string | null {
  if (typeof stated === 'string') return stated;
  if (Array.isArray(stated)) {
    const all = stated.map(licenceOf).filter((one) => one !== null);
    return all.length > 1 ? `(${all.join(' OR ')})` : (all[0] ?? null);
  }
  if (typeof stated === 'object' && stated !== null && 'type' in stated) return licenceOf(stated.type);
  return null;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
