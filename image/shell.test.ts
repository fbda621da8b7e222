import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['cache', 'out', 'node_modules'].includes(entry.name) ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/** By its own first line: one that names a shell, or a directive of shellcheck. */
function isShell(path: string): boolean {
  if (statSync(path).size > 1_000_000) return false;
  return /^(#!\/bin\/(ba)?sh\b|# shellcheck shell=)/.test(readFileSync(path, 'utf8').slice(0, 200));
}

const scripts = ['image', 'overlays', 'pi-gen-config', 'release', 'setups']
  .flatMap((folder) => filesBelow(join(root, folder)))
  .filter(isShell)
  .map((path) => relative(root, path));

test('finds the scripts', () => {
  for (const known of ['image/build', 'image/lib/disk.sh', 'overlays/rootfs/usr/libexec/rushlight/storage']) {
    expect(scripts).toContain(known);
  }
  expect(scripts.filter((path) => path.startsWith('pi-gen-config/')).length).toBeGreaterThan(8);
});

test('shellcheck finds nothing', { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = spawnSync('shellcheck', ['-x', ...scripts], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stdout + stderr).toBe('');
  expect(status).toBe(0);
});
