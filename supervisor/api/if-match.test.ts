import { expect, test } from 'vitest';
import { expectedBy } from './if-match.ts';

test.each([
  ['', true],
  ['*', true],
  ['"a-1"', true],
  ['"x", "a-1"', true],
  ['"x","a-1" ', true],
  ['"x"', false],
  ['W/"a-1"', false],
  ['a-1', false],
  ['"a-1" or so', false],
  ['or "a-1"', false],
  ['""', false],
])('If-Match: %s', (header, accepts) => {
  expect(expectedBy(header)('a-1')).toBe(accepts);
});
