import { readFileSync } from 'node:fs';

/** A mounted file system. */
export interface Mount {
  readonly device: string;
  readonly path: string;
  readonly type: string;
  /** `ro`, `noexec`, … */
  readonly options: readonly string[];
}

/** The table is read this often at most, in milliseconds: what is asked with every access to a file has to be cheap. */
const keptMs = 500;
let kept: { readonly mounts: readonly Mount[]; readonly atMs: number } | null = null;

/** What is mounted now. The kernel answers from memory: no disk is asked, not even one that hangs. */
export function mounts(): readonly Mount[] {
  if (kept !== null && performance.now() - kept.atMs < keptMs) return kept.mounts;
  kept = { mounts: parseMounts(readFileSync('/proc/self/mounts', 'utf8')), atMs: performance.now() };
  return kept.mounts;
}

/** `/proc/self/mounts`. Of several at one path the last covers the others. Pure. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [device, path, type, options] = line.split(' ');
    if (device === undefined || path === undefined || type === undefined || options === undefined) return [];
    return [{ device, path: unescapeMount(path), type, options: options.split(',') }];
  });
}

/** The file system that holds a path; null if that is unknown. Links are not followed. Pure. */
export function mountOf(path: string, all: readonly Mount[]): Mount | null {
  let found: Mount | null = null;
  for (const mount of all) {
    const holds = mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`);
    if (holds && mount.path.length >= (found?.path.length ?? 0)) found = mount;
  }
  return found;
}

/** getmntent(3) writes blanks as `\040`. Pure. */
function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
