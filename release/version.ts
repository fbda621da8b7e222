import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'semver';

const packageFile = join(import.meta.dirname, '..', 'package.json');

/** The version of everything that a release makes: the one in package.json. */
export function productVersion(): string {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8'));
  if (parse(version) === null) throw new Error(`package.json: "${version}" is not a semantic version`);
  return version;
}

/** As Debian sorts it: 1.0.0~rc.1 comes before 1.0.0. Pure. */
export function debianVersion(version: string): string {
  return version.replace('-', '~');
}

/** Whether a tag of the repository belongs to this version. Pure. */
export function tagFits(tag: string, version: string): boolean {
  return tag === `v${version}`;
}
