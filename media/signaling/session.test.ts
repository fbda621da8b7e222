import { describe, expect, it } from 'vitest';
import { NotedTransport } from '../sfu/feed-rig.fake.ts';
import { SignalingSession } from './session.ts';

const candidate = 'a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n';

describe('If-Match', () => {
  it('is understood with quotes, without, weak, in a list, and as the star of players', () => {
    const session = new SignalingSession(new NotedTransport(), 'remote');
    const { etag } = session;
    const bare = etag.replaceAll('"', '');
    for (const tag of [etag, bare, `W/${etag}`, ` ${etag} `, `"other", ${etag}`, '*'])
      expect(session.patch(tag, candidate)).toEqual({ restart: null });
  });

  it('of an earlier session is stale, and none at all is asked for', () => {
    const session = new SignalingSession(new NotedTransport(), 'remote');
    for (const tag of ['"other"', 'W/"other"', 'other', '""'])
      expect(() => session.patch(tag, candidate)).toThrow(expect.objectContaining({ code: 'ETAG_STALE' }));
    for (const tag of [null, ' '])
      expect(() => session.patch(tag, candidate)).toThrow(expect.objectContaining({ code: 'ETAG_REQUIRED' }));
  });
});
