import semver from 'semver';
import { OtaError } from './errors.ts';

/** Longer ones are rejected; so is what semver.org does not allow and npm tolerates, such as a leading `v`. */
const shape = /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,64})?(?:\+[0-9A-Za-z.-]{1,64})?$/;

/** Whether a text is a semantic version (semver.org 2.0.0). */
export function isVersion(text: string): boolean {
  return shape.test(text) && semver.valid(text) !== null;
}

/**
 * Negative if `a` comes before `b`, zero if they are equal, otherwise positive. Build metadata does not count.
 * @throws {OtaError} `VERSION_INVALID`
 */
export function compareVersions(a: string, b: string): number {
  for (const text of [a, b]) {
    if (!isVersion(text))
      throw new OtaError('VERSION_INVALID', `not a semantic version: ${text.slice(0, 80)}`);
  }
  return semver.compare(a, b);
}

/** The oldest of some versions; null if none of them is one. */
export function oldestVersion(versions: readonly string[]): string | null {
  return versions.filter(isVersion).sort(compareVersions)[0] ?? null;
}
