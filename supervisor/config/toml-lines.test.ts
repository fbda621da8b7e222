import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import type { KeyPath } from './key-path.ts';
import { locateTomlKeys } from './toml-lines.ts';

/** Reference: a key is on the line whose change to another value changes that key. */
const text = `# comment = 1
top = "a # b"
dotted.key."quoted.part" = 1
multi = """
fake = 1
""""
literal = '''
fake = 2
'''
list = [
  1, # one
  [2,
   3],
]
inline = { a = 1, b = { c = 2 } }

[table.inner]
x = 'y\\'
after = 1
[[items]]
id = 1
[items.sub]
deep = true
[[items]]
id = 2
[[items.nested]]
z = 1
[[items.nested]]
z = 2
`;

describe('locateTomlKeys', () => {
  it.each<[KeyPath, number]>([
    [['top'], 2],
    [['dotted', 'key', 'quoted.part'], 3],
    [['multi'], 4],
    [['literal'], 7],
    [['list', 0], 11],
    [['list', 1], 12],
    [['list', 1, 1], 13],
    [['inline', 'b', 'c'], 15],
    [['table', 'inner'], 17],
    [['table', 'inner', 'after'], 19],
    [['items', 0, 'id'], 21],
    [['items', 0, 'sub', 'deep'], 23],
    [['items', 1], 24],
    [['items', 1, 'id'], 25],
    [['items', 1, 'nested', 0, 'z'], 27],
    [['items', 1, 'nested', 1, 'z'], 29],
    [['items', 1, 'missing'], 24],
    [['fake'], 1],
  ])('%j', (path, line) => {
    expect(parse(text)).toBeDefined();
    expect(locateTomlKeys(text).lineOf(path)).toBe(line);
  });

  it('finds each key of any table that is written one key to a line', () => {
    const scalar = fc.oneof(fc.string(), fc.boolean(), fc.integer());
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), scalar, { minKeys: 1 }), (table) => {
        const written = stringify(table).split('\n');
        const lines = locateTomlKeys(written.join('\n'));
        for (const [index, line] of written.entries()) {
          const [key] = Object.keys(line === '' ? {} : parse(line));
          if (key !== undefined && !/\\[uU]/.test(line)) expect(lines.lineOf([key])).toBe(index + 1);
        }
      }),
    );
  });

  it('finishes on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (any) => void locateTomlKeys(any)));
    const pieces = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '"""',
      '=',
      ',',
      '.',
      '\n',
      'a',
      '\\',
      '#',
      ' ',
    );
    fc.assert(fc.property(fc.array(pieces), (any) => void locateTomlKeys(any.join(''))));
  });
});
