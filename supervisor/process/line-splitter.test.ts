import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

function split(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}

describe('LineSplitter', () => {
  it('finds the same lines wherever the bytes are split', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat()), (text, cuts) => {
        const bytes = Buffer.from(text);
        const points = [
          0,
          ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
          bytes.length,
        ];
        const chunks = points.slice(1).map((end, index) => bytes.subarray(points[index], end));
        expect(split(chunks)).toEqual(text.split(/[\r\n]/).filter((line) => line !== ''));
      }),
    );
  });

  it('truncates a line that is too long and continues with the next', () => {
    expect(split([Buffer.from(`${'x'.repeat(100_000)}\nnext\r\n\r\nlast`)])).toEqual([
      'x'.repeat(8192),
      'next',
      'last',
    ]);
  });
});
