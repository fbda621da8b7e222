import { OtaError } from './errors.ts';

/** A semantic version (semver.org 2.0.0); build metadata does not count in comparisons. */
export interface Version {
  readonly core: readonly [major: number, minor: number, patch: number];
  readonly preRelease: readonly (string | number)[];
}

export const VERSION_PATTERN =
  /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,64}))?(?:\+[0-9A-Za-z.-]{1,64})?$/;

/** @throws {OtaError} `VERSION_INVALID` */
export function parseVersion(text: string): Version {
  const match = VERSION_PATTERN.exec(text);
  if (match === null) throw new OtaError('VERSION_INVALID', `not a semantic version: ${text.slice(0, 80)}`);
  const [, major, minor, patch, preRelease] = match;
  return {
    core: [Number(major), Number(minor), Number(patch)],
    preRelease:
      preRelease === undefined
        ? []
        : preRelease.split('.').map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : part)),
  };
}

/**
 * Negative where `a` comes before `b`, zero where they rank alike, else positive.
 * @throws {OtaError} `VERSION_INVALID`
 */
export function compareVersions(a: string, b: string): number {
  const left = parseVersion(a);
  const right = parseVersion(b);
  for (const [index, value] of left.core.entries()) {
    const difference = value - (right.core[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePreRelease(left.preRelease, right.preRelease);
}

/** The oldest of some versions; null where none of them is one. */
export function oldestVersion(versions: readonly string[]): string | null {
  const known = versions.filter((version) => VERSION_PATTERN.test(version));
  return known.sort(compareVersions)[0] ?? null;
}

function comparePreRelease(a: Version['preRelease'], b: Version['preRelease']): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length === 0 ? 0 : a.length === 0 ? 1 : -1;
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index];
    const right = b[index];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    if (left === right) continue;
    if (typeof left === 'number' && typeof right === 'number') return left - right;
    if (typeof left === typeof right) return left < right ? -1 : 1;
    return typeof left === 'number' ? -1 : 1;
  }
  return 0;
}
