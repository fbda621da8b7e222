import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { withHuffmanTables } from '../../../media/index.ts';
import type { Caller } from '../../contract/ports.ts';
import { JpegFeed } from './jpeg-feed.ts';
import { JpegFeeds } from './jpeg-feeds.ts';

/** A grey pixel, put together by hand: quantisation table, frame header and scan; decoders know the Huffman tables. */
const pixel = Buffer.concat([
  Buffer.from('ffd8ffdb004300', 'hex'),
  Buffer.alloc(64, 1),
  Buffer.from('ffc0000b080001000101011100', 'hex'),
  Buffer.from('ffda0008010100003f003fffd9', 'hex'),
]);

function caller(keyId: string | null): Caller {
  return { role: 'camera', subject: 'shed', keyId, address: '192.0.2.7' };
}

function open(taken: readonly string[] = []) {
  let changes = 0;
  const feeds = new JpegFeeds({
    labelOf: (id) => `Label of ${id}`,
    isTaken: (id) => taken.includes(id),
    onChange: () => {
      changes += 1;
    },
    log: pino({ level: 'silent' }),
  });
  return { feeds, changes: () => changes };
}

describe('JpegFeeds', () => {
  it('gives a name to one publisher, and frees it when it leaves', () => {
    const { feeds, changes } = open(['cam0']);
    const first = feeds.publish('shed', caller('key-1'));
    expect(feeds.isPublished('shed')).toBe(true);
    for (const [id, key] of [
      ['shed', 'key-2'],
      ['shed', null],
      ['cam0', 'key-2'],
    ] as const) {
      expect(() => feeds.publish(id, caller(key))).toThrow(expect.objectContaining({ code: 'FEED_BUSY' }));
    }
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(feeds.list()).toMatchObject([
      { id: 'shed', label: 'Label of shed', state: 'offline', publisher: null },
    ]);
    feeds.publish('shed', caller('key-2'));
    expect(changes()).toBe(3);
  });

  it('lets the same key take over its own place and disables the old connection', () => {
    const { feeds } = open();
    const ends: string[] = [];
    const first = feeds.publish('shed', caller('key-1'));
    first.onEnd((reason) => ends.push(reason));
    const second = feeds.publish('shed', caller('key-1'));
    expect(ends).toHaveLength(1);
    first.frame(pixel);
    first[Symbol.dispose]();
    expect(feeds.list()).toMatchObject([{ framesTotal: 0, publisher: { kind: 'jpeg', camera: 'shed' } }]);
    expect(second.frame(pixel)).toBeNull();
    expect(feeds.list()).toMatchObject([{ framesTotal: 1, width: 1, height: 1, state: 'online' }]);
  });

  it('allows no takeover without keys, as nobody can prove to be the same', () => {
    const { feeds } = open();
    feeds.publish('shed', caller(null));
    expect(() => feeds.mayPublish('shed', caller(null))).toThrow(/Somebody else/);
  });

  it('limits the number of feeds', () => {
    const { feeds } = open();
    for (let i = 0; i < 32; i++) feeds.publish(`agent-${i}`, caller('key'));
    expect(() => feeds.publish('one-more', caller('key'))).toThrow(/32 feeds/);
  });
});

describe('JpegFeed', () => {
  function openFeed() {
    const clock = { ms: 0 };
    const feed = new JpegFeed(
      'shed',
      () => 'Shed',
      () => clock.ms,
    );
    feed.publisher = { kind: 'jpeg', camera: 'shed', since: 0 };
    return { feed, clock };
  }

  it('accepts thirty pictures a second and a small burst, and skips the others', () => {
    const { feed, clock } = openFeed();
    let taken = 0;
    for (clock.ms = 0; clock.ms < 10_000; clock.ms += 10) {
      const refusal = feed.take(pixel);
      if (refusal === null) taken += 1;
      else expect(refusal.code).toBe('TOO_FAST');
    }
    expect(taken).toBeGreaterThanOrEqual(300);
    expect(taken).toBeLessThanOrEqual(311);
    expect(feed.stats().fps).toBeCloseTo(30, 0);
  });

  it('is stalled when pictures stop, and online with the next', () => {
    const { feed, clock } = openFeed();
    expect(feed.state).toBe('stalled');
    feed.take(pixel);
    clock.ms += 4999;
    expect(feed.stats()).toMatchObject({ state: 'online', reason: null });
    clock.ms += 1;
    expect(feed.stats()).toMatchObject({
      state: 'stalled',
      reason: expect.stringContaining('five seconds'),
      fps: 0,
    });
    feed.take(pixel);
    expect(feed.state).toBe('online');
  });

  it('shows a picture without trailing data, and nothing of a broken one', async () => {
    const { feed } = openFeed();
    const watch = feed.hub.watch();
    expect(feed.take(Buffer.concat([pixel, Buffer.alloc(7)]))).toBeNull();
    expect(feed.take(pixel.subarray(1))?.code).toBe('JPEG_INVALID');
    // The fixture has no Huffman tables, which browsers need: they are put in.
    expect(await watch.next(AbortSignal.timeout(1000))).toEqual(withHuffmanTables(pixel));
    expect(feed.stats().framesTotal).toBe(1);
  });
});
