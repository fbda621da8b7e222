import { createHash } from 'node:crypto';

const maxLength = 64;

/** A name for a child of the recorder: the same for the same parts, unique, and short enough for a ChildHost. */
export function childName(job: string, takeId: string, camera: string, part: string): string {
  const name = `${job}-${takeId}-${camera}-${part}`;
  if (name.length <= maxLength) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${name.slice(0, maxLength - hash.length - 1)}-${hash}`;
}
