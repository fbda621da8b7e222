import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChildHost } from '../../../common/child-host.ts';
import { type Feed, offlineFeed } from '../../contract/index.ts';
import { JpegFeeds } from './jpeg-feeds.ts';
import { JpegTaps } from './jpeg-taps.ts';

/** A grey pixel, put together by hand: quantisation table, frame header and scan; decoders know the Huffman tables. */
const pixel = Buffer.concat([
  Buffer.from('ffd8ffdb004300', 'hex'),
  Buffer.alloc(64, 1),
  Buffer.from('ffc0000b080001000101011100', 'hex'),
  Buffer.from('ffda0008010100003f003fffd9', 'hex'),
]);
const log = pino({ level: 'silent' });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taps-'));
});
afterEach(() => rm(folder, { recursive: true }));

function open(expected: readonly Feed[]) {
  const jpegFeeds = new JpegFeeds({ labelOf: (id) => id, isTaken: () => false, onChange: () => {}, log });
  const feeds = () => {
    const listed = jpegFeeds.list();
    return [...listed, ...expected.filter(({ id }) => listed.every((feed) => feed.id !== id))];
  };
  const host: ChildHost = { spawn: () => Promise.reject(new Error('no decoder here')) };
  const configureTaps = () => Promise.resolve();
  return { jpegFeeds, taps: new JpegTaps({ host, jpegFeeds, feeds, folder, configureTaps, log }) };
}

it('shows pictures whose publisher was away when the client came, and decodes nothing', async () => {
  const { jpegFeeds, taps } = open([]);
  jpegFeeds.pull('shed')[Symbol.dispose]();
  using watch = taps.watch('shed');
  const next = watch.next(AbortSignal.timeout(5000));
  expect(taps.taps()).toEqual([]);
  using publication = jpegFeeds.pull('shed');
  expect(publication.frame(pixel)).toBeNull();
  expect(await next).not.toBeNull();
  await taps.close();
});

it('shows a feed that turns out to consist of pictures, which was unknown when the client came', async () => {
  const { jpegFeeds, taps } = open([offlineFeed({ id: 'shed', label: 'Shed', reason: null })]);
  using watch = taps.watch('shed');
  const next = watch.next(AbortSignal.timeout(5000));
  using publication = jpegFeeds.pull('shed');
  publication.frame(pixel);
  expect(await next).not.toBeNull();
  await taps.close();
});
