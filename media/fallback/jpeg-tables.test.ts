import fc from 'fast-check';
import { expect, test } from 'vitest';
import { knownJpeg } from '../masters/proof/known-jpeg.fake.ts';
import { inspectJpeg } from './jpeg.ts';
import { withHuffmanTables } from './jpeg-tables.ts';

const picture = (tables: boolean) => {
  const shape = { width: 64, height: 48, luma: [2, 1], tables } as const;
  return knownJpeg(shape, (plane, block) => 37 * block + plane).jpeg;
};

test('adds the standard Huffman tables to a picture without them and leaves others unchanged', () => {
  expect(withHuffmanTables(picture(false))).toEqual(picture(true));
  const whole = picture(true);
  expect(withHuffmanTables(whole)).toBe(whole);
  expect(inspectJpeg(withHuffmanTables(picture(false)))).toMatchObject({ width: 64, height: 48 });
});

test('never throws on any bytes', () => {
  const bytes = fc.uint8Array().map((tail) => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), tail]));
  fc.assert(fc.property(bytes, (data) => void withHuffmanTables(data)));
});
