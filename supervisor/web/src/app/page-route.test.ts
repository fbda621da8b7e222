import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PageRoute, parseHash, toHash, tokenOfHash } from './page-route.ts';

test('routes survive the address bar', () => {
  const routes: PageRoute[] = [
    { page: 'live', feed: null },
    { page: 'live', feed: 'stage-left_2' },
    { page: 'takes' },
    { page: 'cameras' },
    { page: 'system' },
  ];
  for (const route of routes) expect(parseHash(toHash(route))).toEqual(route);
});

test('any other fragment is the grid', () => {
  for (const hash of ['', '#', '#/feed/', '#/feed/../x', '#/feed/CAM', '#/else']) {
    expect(parseHash(hash)).toEqual({ page: 'live', feed: null });
  }
  const pages = ['live', 'takes', 'cameras', 'system'];
  fc.assert(fc.property(fc.string(), (hash) => pages.includes(parseHash(hash).page)));
});

test('the key of the QR code', () => {
  expect(tokenOfHash('#token=ab%2Bc')).toBe('ab+c');
  expect(tokenOfHash('#token=')).toBeNull();
  expect(tokenOfHash('#/takes')).toBeNull();
  fc.assert(fc.property(fc.string(), (hash) => tokenOfHash(hash) !== ''));
});
