import { join } from 'node:path';
import type { Config } from '../config/schema.ts';

/** Where the takes lie: the set folder, else the data partition. */
export function takesFolder({ path }: Config['masters'], fallback: string): string {
  return path === 'auto' ? fallback : join(path, 'takes');
}
