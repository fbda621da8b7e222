import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = await readFile(join(root, 'docs/contribute/measurements/field-cases.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => /^\| (?!case |program |---)/.test(line) && line.includes('.test.ts`: '));

/** The tests that a row names: a file, and the title of one of its tests. */
function testsIn(row: string): [file: string, title: string][] {
  const cell = row.split(/(?<!\\)\| /)[2] ?? '';
  return cell.split('<br>').map((entry) => {
    const [, file = '', title = ''] = /^`([^`]+\.test\.ts)`: (.+?)\s*$/.exec(entry) ?? [];
    return [file, title.replaceAll('\\|', '|')];
  });
}

describe('docs/contribute/measurements/field-cases.md', () => {
  test('covers every reported case', () => {
    const numbers = (letter: string, last: number, without: readonly number[] = []) =>
      Array.from({ length: last }, (_, i) => i + 1)
        .filter((n) => !without.includes(n))
        .map((n) => `${letter}${n}`);
    const reported = [
      ...numbers('F', 46, [18, 22, 25, 29, 31, 33, 34, 36, 37, 39, 41, 42, 45]),
      ...numbers('C', 13),
      ...numbers('H', 11),
      ...numbers('N', 16),
    ];
    const named = rows.flatMap((row) => (/^\| ([^:]+):/.exec(row)?.[1] ?? '').split(', '));
    expect(reported.filter((one) => !named.includes(one))).toEqual([]);
  });

  test.each(rows.flatMap(testsIn))('%s has the test "%s"', async (file, title) => {
    const text = await readFile(join(root, file), 'utf8');
    const [first = '', ...others] = title.split("'");
    expect(text).toContain(first);
    for (const part of others) expect(text).toContain(part);
  });
});
