/** Offers as a browser would write them. There is no DTLS behind them: they are for checks of HTTP, descriptions and ICE. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Protocol } from './requirement.ts';

/** ICE and DTLS of one side. */
export interface IceSide {
  readonly ufrag: string;
  readonly pwd: string;
}

/** An offer and what belongs to it. */
export interface MadeOffer {
  readonly sdp: string;
  readonly ice: IceSide;
}

/** How an offer differs from the usual one. */
export interface OfferWishes {
  readonly setup?: 'actpass' | 'active';
  /** Number of pictures; default 1. */
  readonly videos?: number;
  /** The sound's formats; default Opus. */
  readonly sound?: 'opus' | 'unknown';
  readonly picture?: 'h264' | 'unknown';
  readonly simulcast?: boolean;
  readonly fingerprint?: string;
}

/** Hex digits only: also in a fragment they need no escape. */
export function createIce(): IceSide {
  return { ufrag: randomBytes(4).toString('hex'), pwd: randomBytes(12).toString('hex') };
}

/** Random bytes as hex pairs with colons. */
export function hexPairs(bytes: number): string {
  return (randomBytes(bytes).toString('hex').toUpperCase().match(/../g) ?? []).join(':');
}

/** Makes an offer. */
export function makeOffer(protocol: Protocol, wishes: OfferWishes = {}): MadeOffer {
  const ice = createIce();
  const videos = wishes.videos ?? 1;
  const stream = randomBytes(4).toString('hex');
  const mids = Array.from({ length: videos + 1 }, (_, i) => i);
  const section = (mid: number): string[] => [
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    'a=ice-options:trickle',
    `a=fingerprint:${wishes.fingerprint ?? `sha-256 ${hexPairs(32)}`}`,
    `a=setup:${wishes.setup ?? 'actpass'}`,
    `a=mid:${mid}`,
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    protocol === 'whip' ? 'a=sendonly' : 'a=recvonly',
    ...(protocol === 'whip' ? [`a=msid:${stream} track-${mid}`] : []),
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    'a=rtcp-rsize',
  ];
  const sound =
    wishes.sound === 'unknown'
      ? ['m=audio 9 UDP/TLS/RTP/SAVPF 112', ...section(0), 'a=rtpmap:112 x-nobody-knows-it/48000/2']
      : [
          'm=audio 9 UDP/TLS/RTP/SAVPF 111',
          ...section(0),
          'a=rtpmap:111 opus/48000/2',
          'a=fmtp:111 minptime=10;useinbandfec=1',
        ];
  const picture = (mid: number): string[] =>
    wishes.picture === 'unknown'
      ? ['m=video 9 UDP/TLS/RTP/SAVPF 113', ...section(mid), 'a=rtpmap:113 x-nobody-knows-it/90000']
      : [
          'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98',
          ...section(mid),
          'a=rtpmap:96 H264/90000',
          ...['nack', 'nack pli', 'ccm fir', 'goog-remb'].map((kind) => `a=rtcp-fb:96 ${kind}`),
          'a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
          'a=rtpmap:97 rtx/90000',
          'a=fmtp:97 apt=96',
          'a=rtpmap:98 VP8/90000',
          ...(wishes.simulcast === true ? simulcastLines : []),
        ];
  const lines = [
    'v=0',
    `o=- ${randomInt(2 ** 40)} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mids.join(' ')}`,
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS *',
    ...sound,
    ...mids.slice(1).flatMap(picture),
  ];
  return { sdp: `${lines.join('\r\n')}\r\n`, ice };
}

const simulcastLines = [
  'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'a=rid:h send',
  'a=rid:m send',
  'a=rid:l send',
  'a=simulcast:send h;m;l',
];

/** A fragment with candidates, and credentials if they are given (RFC 8840, section 9). */
export function makeFragment(ice: IceSide, candidates: readonly string[] = [], mid = '0'): string {
  const lines = [
    'a=ice-options:trickle',
    'a=group:BUNDLE 0 1',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    `a=mid:${mid}`,
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    ...candidates.map((candidate) => `a=candidate:${candidate}`),
    'a=end-of-candidates',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
