import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A clone of the sources contains what `npm start` runs; a device does not. In a clone, this machine's appliance is the
 * simulation.
 */
const clone = join(import.meta.dirname, '..', '..');
const isClone = existsSync(join(clone, 'scripts', 'start.mjs'));

/** The data folder of this machine's appliance, as main.ts and scripts/start.mjs choose it. */
export function ownDataFolder(env: NodeJS.ProcessEnv): string {
  return env.RUSHLIGHT_DATA ?? (isClone ? join(clone, 'data') : '/data/rushlight');
}

/** The settings file of this machine's appliance. */
export function ownConfigFile(env: NodeJS.ProcessEnv): string {
  return (
    env.RUSHLIGHT_CONFIG ??
    (isClone ? join(ownDataFolder(env), 'rushlight.toml') : '/boot/rushlight/rushlight.toml')
  );
}
