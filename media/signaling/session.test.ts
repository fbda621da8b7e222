import { describe, expect, it } from 'vitest';
import { NotedTransport } from '../sfu/feed-rig.fake.ts';
import { obs30 } from './client-offers.fake.ts';
import { parseOffer } from './offer.ts';
import { SignalingSession } from './session.ts';

const candidate = 'a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n';

describe('If-Match', () => {
  it('is understood with quotes, without, weak, in a list, and as the star of players, which RFC 9725 quotes', () => {
    const session = new SignalingSession(new NotedTransport(), parseOffer(obs30));
    const { etag } = session;
    const bare = etag.replaceAll('"', '');
    for (const tag of [etag, bare, `W/${etag}`, ` ${etag} `, `"other", ${etag}`, '*', '"*"'])
      expect(session.patch(tag, candidate)).toEqual({ restart: null });
  });

  it('of an earlier session is stale, and a missing one is required', () => {
    const session = new SignalingSession(new NotedTransport(), parseOffer(obs30));
    for (const tag of ['"other"', 'W/"other"', 'other', '""'])
      expect(() => session.patch(tag, candidate)).toThrow(expect.objectContaining({ code: 'ETAG_STALE' }));
    for (const tag of [null, ' '])
      expect(() => session.patch(tag, candidate)).toThrow(expect.objectContaining({ code: 'ETAG_REQUIRED' }));
  });
});

describe('The answer to a restart', () => {
  it('repeats the ICE attributes of the first answer and names its section', () => {
    const session = new SignalingSession(new NotedTransport(), parseOffer(obs30));
    const credentials = 'a=ice-ufrag:new0\r\na=ice-pwd:0123456789abcdefghijkl\r\n';
    const { restart } = session.patch('*', credentials);
    const lines = restart?.fragment.split('\r\n') ?? [];
    expect(lines.slice(0, 4)).toEqual([
      'a=ice-lite',
      'a=ice-options:ice2 trickle',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
    ]);
    expect(restart?.etag).toBe(session.etag);
  });
});
