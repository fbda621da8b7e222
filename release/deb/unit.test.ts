import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const linesOf = (file: string): string[] =>
  readFileSync(join(root, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const image = linesOf('overlays/rootfs/etc/systemd/system/rushlight.service');
const deb = linesOf('release/deb/rushlight.service');
const without = (lines: readonly string[], others: readonly string[]) =>
  lines.filter((line) => !others.includes(line)).map((line) => line.split('=')[0]);

test('the unit of the package confines the service as the one on the image does', () => {
  // Where its files are, and what it starts after, is another matter on a machine of the owner's own.
  const ownWays = ['Description', 'Documentation', 'After', 'Environment', 'ExecStart', 'ReadWritePaths'];
  expect(new Set(without(image, deb))).toEqual(new Set([...ownWays, 'Wants', 'RequiresMountsFor']));
  expect(new Set(without(deb, image))).toEqual(new Set([...ownWays, 'StateDirectory', 'StateDirectoryMode']));
});

test('both start the supervisor in the same way', () => {
  const startOf = (lines: readonly string[]) =>
    lines.find((line) => line.startsWith('ExecStart='))?.replace('/usr/lib/rushlight/bin/node', 'bin/node');
  expect(startOf(deb)).toBe(startOf(image));
});
