import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitGrid } from './grid-fit.ts';

const shape = (count: number, width: number, height: number) => {
  const { columns, rows, scrolls } = fitGrid({ count, width, height, gap: 8, leastTileWidth: 150 });
  return `${columns}x${rows}${scrolls ? ' scrolls' : ''}`;
};

test('desktop, phone upright, phone lying', () => {
  expect(shape(1, 1440, 760)).toBe('1x1');
  expect(shape(4, 1440, 760)).toBe('2x2');
  expect(shape(5, 1440, 760)).toBe('3x2');
  expect(shape(16, 1440, 760)).toBe('4x4');
  expect(shape(3, 374, 600)).toBe('1x3');
  expect(shape(8, 374, 600)).toBe('2x4');
  expect(shape(2, 700, 300)).toBe('2x1');
  expect(shape(16, 374, 600)).toBe('2x8 scrolls');
});

test('every feed has a cell, no tile is wider than the box, and only a grid that says so overflows', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 160, max: 4000 }),
      fc.integer({ min: 60, max: 3000 }),
      (count, width, height) => {
        const gap = 8;
        const fit = fitGrid({ count, width, height, gap, leastTileWidth: 150 });
        expect(fit.columns * fit.rows).toBeGreaterThanOrEqual(count);
        expect(fit.columns * fit.tileWidth + gap * (fit.columns - 1)).toBeLessThanOrEqual(width);
        if (!fit.scrolls) {
          expect(fit.rows * fit.tileHeight + gap * (fit.rows - 1)).toBeLessThanOrEqual(height);
        }
      },
    ),
  );
});
