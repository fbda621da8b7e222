import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Layers, linkOf, shownLayer, type TilePlace, unplaced, wishOf } from './layer-wish.ts';

const high = { rid: 'high', width: 1280, height: 720, fps: 30, bitrateKbps: 3000 } as const;
const low = { rid: 'low', width: 640, height: 360, fps: 30, bitrateKbps: 300 } as const;
const both: Layers = [high, low];
const at = (place: Partial<TilePlace>): TilePlace => ({ ...unplaced, width: 190, ...place });

test('the grid uses the small layer, the large view the full one', () => {
  expect(wishOf(at({}), both, false, 3)).toEqual({ rid: 'low', paused: false });
  expect(wishOf(at({ large: true, width: 390 }), both, false, 3)).toEqual({ rid: 'high', paused: false });
});

test('a tile that is much wider than the small layer uses the full one', () => {
  expect(wishOf(at({ width: 700 }), both, false, 1).rid).toBe('low');
  expect(wishOf(at({ width: 1400 }), both, false, 1).rid).toBe('high');
  // A phone has fine pixels, and a small screen.
  expect(wishOf(at({ width: 390 }), both, false, 3).rid).toBe('low');
});

test('a narrow link uses the small layer everywhere', () => {
  expect(wishOf(at({ large: true, width: 1400 }), both, true, 1).rid).toBe('low');
});

test('pauses what nobody sees', () => {
  expect(wishOf(at({ visible: false }), both, false, 1).paused).toBe(true);
});

test('asks for the small layer in the grid before it exists, so that it is used as soon as it does', () => {
  expect(wishOf(at({ width: 1400 }), [high], false, 1).rid).toBe('low');
});

test('the size of the pictures shows which layer it is', () => {
  expect(shownLayer(both, 1280)).toBe('high');
  expect(shownLayer(both, 640)).toBe('low');
  expect(shownLayer(both, null)).toBeNull();
  expect(shownLayer([high], 1280)).toBeNull();
  expect(shownLayer([], 640)).toBeNull();
});

const relation = 'urn:ietf:params:whep:ext:core:layer';

test('finds the extension among the links of an answer', () => {
  const links = [
    '<stun:192.0.2.1>; rel="ice-server"',
    '</whep/cam0/1/sse>; rel="urn:ietf:params:whep:ext:core:server-sent-events"; events="active,layers"',
    `</whep/cam0/1/layer>; rel="${relation}"`,
  ];
  expect(linkOf(links.join(', '), relation)).toBe('/whep/cam0/1/layer');
  expect(linkOf(links.toReversed().join(','), relation)).toBe('/whep/cam0/1/layer');
  expect(linkOf(`<a>; title=x; rel=${relation}`, relation)).toBe('a');
  expect(linkOf(links[0] ?? '', relation)).toBeNull();
  expect(linkOf(null, relation)).toBeNull();
});

test('no header breaks the search', () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      const found = linkOf(header, relation);
      expect(found === null || header.includes(found)).toBe(true);
    }),
  );
});
