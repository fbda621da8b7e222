import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const masters = join(import.meta.dirname, '..');
/** They write to the temporary folder, or read a cache on the data partition. */
const elsewhere = ['proof/verify.ts', 'recorder/encode-speed.ts'];
const fileCalls = /import (?!\{ constants(?:, type \w+)? \})[^;]* from 'node:fs(?:\/promises)?'/;

test('masters ask their disks only through the gate: a plain call on one that hangs holds a thread for ever', () => {
  const files = globSync('**/*.ts', { cwd: masters }).filter(
    (file) => !/\.(test|fake|fixture)\.ts$/.test(file),
  );
  expect(files.length).toBeGreaterThan(20);
  const plain = files.filter((file) => fileCalls.test(readFileSync(join(masters, file), 'utf8')));
  expect(plain.toSorted()).toEqual(elsewhere);
});
