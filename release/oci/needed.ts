import { spawnSync } from 'node:child_process';
import { readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A library or program and the names of the libraries that it is linked to. */
export interface Linked {
  readonly path: string;
  readonly needs: readonly string[];
}

/** What `readelf --dynamic` says of several files: for each the libraries that it needs. Pure. */
export function parseReadelf(text: string): Linked[] {
  return text
    .split(/^File: /m)
    .slice(1)
    .map((part) => ({
      path: part.slice(0, part.indexOf('\n')).trim(),
      needs: [...part.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name),
    }));
}

/** The names of all libraries that the starting files need, directly or through others. Pure. */
export function closure(start: readonly Linked[], libraries: ReadonlyMap<string, Linked>): Set<string> {
  const found = new Set<string>();
  const open = start.flatMap(({ needs }) => needs);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...(libraries.get(name)?.needs ?? []));
  }
  return found;
}

/** Prints the shared libraries below ROOT/usr/lib that none of the programs needs: `node needed.ts ROOT PROGRAM…`. */
function main([root = '', ...programs]: string[]): void {
  const files = filesBelow(join(root, 'usr', 'lib')).filter((path) => /\.so(\.|$)/.test(basename(path)));
  const linked = new Map(
    readelf([...new Set(files.map((path) => realpathSync(path)))]).map((one) => [one.path, one]),
  );
  const libraries = new Map<string, Linked>();
  for (const path of files) {
    const library = linked.get(realpathSync(path));
    if (library !== undefined) libraries.set(basename(path), library);
  }
  const needed = closure(readelf(programs), libraries);
  const missing = [...needed].filter((name) => !libraries.has(name));
  if (missing.length > 0) throw new Error(`the root lacks ${missing.join(', ')}`);
  // The loader is needed by every program, by its path.
  const isNeeded = (name: string) => needed.has(name) || name.startsWith('ld-linux');
  const kept = new Set(files.filter((path) => isNeeded(basename(path))).map((path) => realpathSync(path)));
  for (const path of files) {
    if (!isNeeded(basename(path)) && !kept.has(path)) process.stdout.write(`${path}\n`);
  }
}

function readelf(files: readonly string[]): Linked[] {
  // One more file, so that it names each even if there is only one.
  const { status, stdout, stderr } = spawnSync('readelf', ['--dynamic', '--wide', ...files, '/dev/null'], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status === null) throw new Error(`readelf failed: ${stderr}`);
  return parseReadelf(stdout);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

if (import.meta.main) main(process.argv.slice(2));
