import { join } from 'node:path';
import { resolveConfigPath } from '../config/load.ts';
import type { Config } from '../config/schema.ts';

/** Where the takes lie: the set folder, else the data partition. */
export function takesFolder({ path }: Config['masters'], configFile: string, fallback: string): string {
  return path === 'auto' ? fallback : join(resolveConfigPath(configFile, path), 'takes');
}
