import { describe, expect, it } from 'vitest';
import type { Feed, LinkedCamera, SourceStatus } from '../contract/index.ts';
import { listFeeds } from './feed-list.ts';

function feed(id: string, state: Feed['state'] = 'online'): Feed {
  return {
    id,
    label: id,
    state,
    reason: null,
    codec: 'avc1.42e01f',
    audioCodec: null,
    width: 640,
    height: 360,
    fps: 30,
    bitrateKbps: 1,
    framesTotal: 1,
    packetsLost: 0,
    lossRatio: null,
    latencyMs: null,
    keyframeAgeMs: 1,
    layers: [],
    publisher: null,
    viewers: [],
  };
}

function source(
  id: string,
  state: SourceStatus['state'] = 'running',
  reason: string | null = null,
): SourceStatus {
  return {
    id,
    kind: 'test',
    label: `Label of ${id}`,
    state,
    reason,
    restarts: 0,
    encoder: null,
    droppedFrames: null,
  };
}

function camera(name: string, online: boolean, ...sources: SourceStatus[]): LinkedCamera {
  return {
    id: name,
    name,
    version: '1',
    address: '192.0.2.7',
    online,
    sources,
    recording: 'idle',
    lastSeenAt: '2026-11-22T10:00:00.000Z',
    remainingS: null,
    clockOffsetMs: null,
    clockUncertaintyMs: null,
    update: null,
  };
}

const nothing = { media: [], mediaRuns: true, jpeg: [], sources: [], unplugged: [], cameras: [] };
const shown = (feeds: readonly Feed[]) => feeds.map(({ id, state, reason }) => [id, state, reason]);

describe('listFeeds', () => {
  it('says that a camera was pulled while somebody still waits for its feed', () => {
    const unplugged = [{ id: 'usb', label: 'Stage left', feed: 'a' }];
    const [away] = listFeeds({ ...nothing, unplugged, media: [feed('a', 'offline')] });
    expect(away).toMatchObject({ id: 'a', label: 'Stage left', reason: 'Stage left was unplugged.' });
    expect(listFeeds({ ...nothing, unplugged })).toEqual([]);
  });

  it('keeps the order of the settings as feeds come and go; guests are last', () => {
    const sources = [source('a'), source('b'), source('c')];
    const there = listFeeds({ ...nothing, sources, media: [feed('guest'), feed('c'), feed('a'), feed('b')] });
    const partly = listFeeds({ ...nothing, sources, media: [feed('c'), feed('guest')] });
    expect(there.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'guest']);
    expect(partly.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'guest']);
  });

  it('lists expected feeds as offline, with the best known reason', () => {
    const sources = [source('a', 'waiting', 'not plugged in'), source('b'), source('off', 'stopped')];
    const cameras = [
      camera('left', false, source('l')),
      camera('right', true, source('r', 'stalled', 'frozen')),
    ];
    expect(shown(listFeeds({ ...nothing, sources, cameras, mediaRuns: false }))).toEqual([
      ['a', 'offline', 'not plugged in'],
      ['b', 'offline', 'The media process is being started.'],
      ['l', 'offline', 'left is not connected.'],
      ['r', 'offline', 'frozen'],
    ]);
    expect(listFeeds({ ...nothing, sources })[0]?.label).toBe('Label of a');
  });

  it('gives no reason for a feed that is online', () => {
    const sources = [source('a', 'stalled', 'frames stopped')];
    expect(shown(listFeeds({ ...nothing, sources, media: [feed('a')] }))).toEqual([['a', 'online', null]]);
    expect(shown(listFeeds({ ...nothing, sources, media: [feed('a', 'stalled')] }))).toEqual([
      ['a', 'stalled', 'frames stopped'],
    ]);
  });

  it('lists a name once: the online feed, and the first machine with that source', () => {
    const pictures = { ...feed('a'), codec: 'mjpeg' };
    const both = listFeeds({ ...nothing, media: [feed('a', 'offline')], jpeg: [pictures] });
    expect(both).toEqual([pictures]);
    const cameras = [camera('left', true, source('cam0')), camera('right', false, source('cam0'))];
    expect(shown(listFeeds({ ...nothing, cameras }))).toEqual([['cam0', 'offline', null]]);
  });
});
