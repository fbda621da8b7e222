import { describe, expect, it } from 'vitest';
import type { Device, Feed } from '../../../contract/index.ts';
import { awayFeeds, placesOf, plugNews, presentFeeds } from './away-feeds.ts';

const feed = (id: string): Feed => ({ id, label: id, state: 'online' }) as Feed;
const device = (id: string, source: string | null) => ({ id, label: `Camera ${id}`, source }) as Device;
const pulled = { id: 'usb-1', label: 'Stage left', feed: 'b' };
const ids = (feeds: readonly Feed[]) => feeds.map(({ id }) => id);

describe('feeds of unplugged cameras', () => {
  const [away] = awayFeeds([pulled]);

  it('are offline and say what to do', () => {
    expect(away).toMatchObject({ id: 'b', label: 'Stage left', state: 'offline' });
    expect(away?.reason).toContain('Stage left was unplugged.');
  });

  it('leave the wall, even while the appliance still lists them, until they are online', () => {
    const waiting: Feed = { ...feed('b'), state: 'offline' };
    expect(ids(presentFeeds([feed('a'), waiting], away === undefined ? [] : [away]))).toEqual(['a']);
    expect(ids(presentFeeds([feed('a'), feed('b')], away === undefined ? [] : [away]))).toEqual(['a', 'b']);
  });
});

describe('placesOf', () => {
  it.each([
    ['none are known', [], ['a', 'b'], ['a', 'b']],
    ['one went', ['a', 'b', 'c'], ['a', 'c'], ['a', 'b', 'c']],
    ['it came back at the end', ['a', 'b', 'c'], ['a', 'c', 'b'], ['a', 'b', 'c']],
    ['one is new in the middle', ['a', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c']],
    ['one is new at the beginning', ['b'], ['a', 'b'], ['a', 'b']],
    ['new ones follow one another', ['a', 'd'], ['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd']],
  ])('where %s', (_what, known, listed, places) => {
    expect(placesOf(known, listed)).toEqual(places);
  });
});

describe('plugNews', () => {
  const known = { devices: [device('usb-1', 'a'), device('usb-2', null)], unplugged: [pulled] };

  it.each([
    ['a camera in use is pulled', { type: 'device-removed', id: 'usb-1' }, 'Camera usb-1 was unplugged.'],
    ['one that nobody used is pulled', { type: 'device-removed', id: 'usb-2' }, null],
    ['it is back', { type: 'device-added', device: device('usb-1', 'b') }, 'Stage left is plugged in again.'],
    ['another one is new', { type: 'device-added', device: device('usb-3', null) }, null],
    ['it changed', { type: 'device-changed', device: device('usb-1', 'b') }, null],
  ] as const)('%s', (_what, event, news) => {
    expect(plugNews(event, known)).toBe(news);
  });
});
