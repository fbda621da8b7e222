import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RigError } from './errors.ts';
import { parseLab } from './lab.ts';

const folder = join(import.meta.dirname, '../labs');
const labs = readdirSync(folder);

test.each(labs)('accepts %s', (file) => {
  expect(parseLab(file, readFileSync(join(folder, file), 'utf8')).driver).toMatch(/^(qemu|board)$/);
});

describe('an invalid lab file', () => {
  const text = readFileSync(join(folder, 'virt-amd64.toml'), 'utf8');

  test('names the wrong key', () => {
    expect(() => parseLab('x', text.replace('cores = 2', 'cores = 0'))).toThrow(/cores/);
    expect(() => parseLab('x', `${text}\ncolour = "red"\n`)).toThrow(/colour/);
  });

  test('throws a RigError for any content', () => {
    fc.assert(
      fc.property(fc.string(), (junk) => {
        try {
          parseLab('x', `${text}\n${junk}`);
        } catch (error) {
          expect(error).toBeInstanceOf(RigError);
        }
      }),
    );
  });
});
