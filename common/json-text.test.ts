import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonIn, parseJsonText } from './json-text.ts';

test('parses JSON exactly as JSON.parse does and rejects everything else', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      expect(parseJsonText(text)).toEqual(JSON.parse(text));
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        expect(() => parseJsonText(text)).toThrow('not JSON');
        return;
      }
      expect(parseJsonText(text)).toEqual(expected);
    }),
  );
});

test.each([
  ['arrays', '['.repeat(100_000)],
  ['closed arrays', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['both', `${'[{"a":'.repeat(33)}1${'}]'.repeat(33)}`],
  ['after a text with brackets', `["]]]\\"]]", ${'['.repeat(64)}${']'.repeat(64)}]`],
])('rejects endlessly nested %s before anything recurses', (_, text) => {
  expect(() => parseJsonText(text)).toThrow('nested');
});

test('gives undefined for what is not JSON to those who ask a schema next', () => {
  expect([jsonIn('{"a":1}'), jsonIn('{'), jsonIn('['.repeat(65))]).toEqual([{ a: 1 }, undefined, undefined]);
});

test('allows 64 levels and ignores brackets in strings', () => {
  const deep = `${'['.repeat(64)}${']'.repeat(64)}`;
  expect(JSON.stringify(parseJsonText(deep))).toBe(deep);
  expect(parseJsonText(JSON.stringify('[{'.repeat(1000)))).toBe('[{'.repeat(1000));
});
