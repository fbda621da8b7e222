/**
 * Licences that modules and native parts may have: they ask for their text to be kept, and nothing of our own code. MPL-2.0 asks
 * for changes to its own files to be published; modules are delivered as npm has them.
 */
const allowed: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MPL-2.0',
  'Python-2.0',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
  'blessing',
]);

/** Whether an SPDX expression can be met by allowed licences. Expressions that mix OR and AND are left to people. Pure. */
export function isAllowed(expression: string | null): boolean {
  if (expression === null) return false;
  const plain = expression.replace(/[()]/g, '').trim();
  const choices = plain.split(/\s+OR\s+/i);
  const parts = plain.split(/\s+AND\s+/i);
  if (choices.length > 1 && parts.length > 1) return false;
  return choices.length > 1
    ? choices.some((one) => allowed.has(one))
    : parts.every((one) => allowed.has(one));
}
