import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildAnswer } from './answer.ts';
import { SignalingError } from './errors.ts';
import { atOurLevel, chooseViewerFormat, profileOf } from './h264-profile.ts';
import { negotiatePublisher, negotiateViewer } from './negotiate.ts';
import { parseOffer } from './offer.ts';
import { buildFragment, parseFragment } from './sdpfrag.ts';

const FINGERPRINT = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0').toUpperCase()).join(
  ':',
);
const local = {
  ice: { ufrag: 'localufrag', pwd: 'localpasswordlocalpassword' },
  candidates: [{ address: '192.0.2.7', port: 8189 }],
  fingerprint: { algorithm: 'sha-256', value: FINGERPRINT },
};

const section = { kind: 'audio', protocol: 'UDP/TLS/RTP/SAVPF', format: '111', mid: '0' };

interface OfferOptions {
  setup?: string;
  mids?: [string, string];
  direction?: string;
  h264?: string[];
  videos?: number;
  audios?: number;
  extra?: string[];
}

/** The lines that matter, in the forms real clients write them. */
function offerOf(options: OfferOptions = {}): string {
  const { setup = 'actpass', mids = ['0', '1'], direction = 'sendonly', videos = 1, audios = 1 } = options;
  const h264 = options.h264 ?? ['profile-level-id=42e01f;packetization-mode=1'];
  const video = [
    `m=video 9 UDP/TLS/RTP/SAVPF ${[96, ...h264.map((_, i) => 102 + i)].join(' ')}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${mids[0]}`,
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtpmap:96 VP8/90000',
    ...h264.flatMap((fmtp, i) => [`a=rtpmap:${102 + i} H264/90000`, `a=fmtp:${102 + i} ${fmtp}`]),
    'a=rtcp-fb:* nack',
    'a=rtcp-fb:102 nack pli',
    'a=rtcp-fb:102 goog-remb',
  ];
  const audio = [
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    `a=mid:${mids[1]}`,
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
  ];
  return [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mids.join(' ')}`,
    'a=ice-ufrag:remote',
    'a=ice-pwd:remotepasswordremotepassword',
    `a=fingerprint:sha-256 ${FINGERPRINT.toLowerCase()}`,
    `a=setup:${setup}`,
    ...(options.extra ?? []),
    ...Array.from({ length: videos }, () => video).flat(),
    ...Array.from({ length: audios }, () => audio).flat(),
    '',
  ].join('\r\n');
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof SignalingError) return error.code;
    throw error;
  }
  return 'none';
};

describe('Offers', () => {
  it('of clients with session-level ICE, lower-case fingerprints and words as mids are understood', () => {
    const offer = parseOffer(offerOf({ mids: ['video0', 'audio1'], setup: 'passive' }));
    expect(offer).toMatchObject({
      ice: { ufrag: 'remote' },
      fingerprints: [{ algorithm: 'sha-256', value: FINGERPRINT }],
      setup: 'passive',
      candidates: [],
    });
    const answer = buildAnswer(offer, negotiatePublisher(offer), local, { kind: 'receive' });
    expect(answer).toContain('a=group:BUNDLE video0 audio1\r\n');
    expect(answer).toContain('a=setup:active\r\n');
    expect(answer).toContain('profile-level-id=42e033');
  });

  it('get one codec for each track, only the offered feedback, and our candidates once', () => {
    const offer = parseOffer(offerOf());
    const answer = buildAnswer(offer, negotiatePublisher(offer), local, { kind: 'receive' });
    const lines = answer.split('\r\n');
    expect(lines).toContain('m=video 9 UDP/TLS/RTP/SAVPF 102');
    expect(lines.filter((line) => line.startsWith('a=rtcp-fb'))).toEqual([
      'a=rtcp-fb:102 nack',
      'a=rtcp-fb:102 nack pli',
      'a=rtcp-fb:102 goog-remb',
    ]);
    expect(lines.filter((line) => line.startsWith('a=candidate'))).toHaveLength(1);
    expect(lines).toContain('a=ice-lite');
    expect(lines.filter((line) => line === 'a=recvonly')).toHaveLength(2);
    expect(answer).not.toContain('extmap');
  });

  it.each([null, 'pcma'] as const)(
    'for sound get, with a feed whose sound is %s, the codecs that may come later, all of them sendonly',
    (audioCodec) => {
      const offer = parseOffer(offerOf({ direction: 'recvonly' }));
      const negotiated = negotiateViewer(offer, {
        video: { codec: 'h264', profileLevelId: '42c01f' },
        audioCodec,
      });
      const tracks = { cname: 'c', streamId: 's', videoSsrc: 1, audioSsrc: 2 };
      const answer = buildAnswer(offer, negotiated, local, { kind: 'send', tracks });
      expect(answer.match(/a=sendonly/g)).toHaveLength(2);
      expect(answer).toContain('m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n');
      expect(answer).toContain('a=ssrc:2 ');
    },
  );

  it('of data channels are rejected; the rest is accepted', () => {
    const text = `${offerOf()}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n`;
    const offer = parseOffer(text);
    const answer = buildAnswer(offer, negotiatePublisher(offer), local, { kind: 'receive' });
    expect(answer).toContain('m=application 0 UDP/DTLS/SCTP webrtc-datachannel');
  });

  it.each<[string, string, string]>([
    ['nonsense', 'hello', 'SDP_INVALID'],
    ['nothing', '', 'SDP_INVALID'],
    ['no ICE', offerOf().replace('a=ice-ufrag:remote\r\n', ''), 'SDP_INVALID'],
    ['no fingerprint', offerOf().replace(/a=fingerprint.*\r\n/, ''), 'SDP_INVALID'],
    ['no rtcp-mux', offerOf().replaceAll('a=rtcp-mux\r\n', ''), 'SDP_INVALID'],
    ['an ICE-lite peer', offerOf({ extra: ['a=ice-lite'] }), 'SDP_INVALID'],
    ['two pictures', offerOf({ videos: 2 }), 'TRACKS_UNSUPPORTED'],
    ['no picture', offerOf({ videos: 0 }), 'TRACKS_UNSUPPORTED'],
    ['two sounds', offerOf({ audios: 2 }), 'TRACKS_UNSUPPORTED'],
    ['the wrong direction', offerOf({ direction: 'recvonly' }), 'TRACKS_UNSUPPORTED'],
    ['no H.264', offerOf({ h264: [] }), 'CODEC_UNSUPPORTED'],
    [
      'only packetization mode 0',
      offerOf({ h264: ['profile-level-id=42e01f;packetization-mode=0'] }),
      'CODEC_UNSUPPORTED',
    ],
    ['a fingerprint of SHA-1', offerOf().replace(/sha-256 .*/, `sha-1 ${'0A:'.repeat(19)}0A`), 'SDP_INVALID'],
    [
      'a fingerprint that is too short',
      offerOf().replace(/sha-256 .*/, `sha-256 ${'0A:'.repeat(19)}0A`),
      'SDP_INVALID',
    ],
  ])('with %s are refused', (_, text, code) => {
    expect(codeOf(() => negotiatePublisher(parseOffer(text)))).toBe(code);
  });

  it.each([
    ['no picture', offerOf({ videos: 0 }), 'none was offered'],
    [
      'a viewer at the door of publishers',
      offerOf({ direction: 'recvonly' }),
      'recvonly instead of sendonly',
    ],
    ['a picture that is switched off', offerOf().replace('m=video 9', 'm=video 0'), 'switched off (port 0)'],
  ])('with %s are rejected for the right reason', (_, text, words) => {
    expect(() => negotiatePublisher(parseOffer(text))).toThrow(words);
  });

  it('never fail without a code, however they are mangled', () => {
    const good = offerOf();
    const mutation = fc.tuple(fc.nat(good.length), fc.nat(40), fc.string({ maxLength: 20 }));
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        let text = good;
        for (const [at, cut, insert] of mutations) text = text.slice(0, at) + insert + text.slice(at + cut);
        const code = codeOf(() => {
          const offer = parseOffer(text);
          buildAnswer(offer, negotiatePublisher(offer), local, { kind: 'receive' });
        });
        expect(['none', 'SDP_INVALID', 'TRACKS_UNSUPPORTED', 'CODEC_UNSUPPORTED']).toContain(code);
      }),
      { numRuns: 500 },
    );
  });
});

describe('H.264 formats', () => {
  const format = (payloadType: number, profileLevelId: string, packetizationMode = 1) => ({
    payloadType,
    profileLevelId,
    packetizationMode,
  });

  it.each([
    ['42e01f', 'constrained-baseline'],
    ['42c020', 'constrained-baseline'],
    ['42001f', 'baseline'],
    ['4d001f', 'main'],
    ['640c1f', 'constrained-high'],
    ['640028', 'high'],
    ['f4001e', 'other'],
  ])('%s is %s', (id, profile) => expect(profileOf(id)).toBe(profile));

  it('are chosen by the profile of the stream, else by one that includes it, else the first', () => {
    const offered = [format(1, '42001f'), format(2, '42e01f'), format(3, '4d001f'), format(4, '64001f')];
    expect(chooseViewerFormat(offered, '42c01f')?.payloadType).toBe(2);
    expect(chooseViewerFormat(offered, '4d0028')?.payloadType).toBe(3);
    expect(chooseViewerFormat(offered.slice(3), '4d0028')?.payloadType).toBe(4);
    expect(chooseViewerFormat([format(2, '42e01f')], '640028')?.payloadType).toBe(2);
    expect(chooseViewerFormat([format(2, '42e01f', 0)], '42e01f')).toBeNull();
    expect(atOurLevel('42e01f')).toBe('42e033');
  });
});

describe('Trickle fragments', () => {
  it('survive a round trip', () => {
    const fragment = parseFragment(buildFragment(section, local.ice, local.candidates));
    expect(fragment).toEqual({ ice: local.ice, candidates: local.candidates, endOfCandidates: true });
  });

  it('leave out unusable candidates', () => {
    const lines = [
      'a=mid:0',
      'a=candidate:1 1 udp 2122 c0ffee00-1111-2222-3333-444444444444.local 5000 typ host',
      'a=candidate:2 1 udp 2122 fd00::1 5000 typ host',
      'a=candidate:3 1 tcp 2122 192.0.2.1 9 typ host tcptype active',
      'a=candidate:4 1 udp 2122 300.0.2.1 5000 typ host',
      'a=candidate:5 1 UDP 2122 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 1',
    ];
    expect(parseFragment(lines.join('\r\n'))).toEqual({
      ice: null,
      candidates: [
        { address: 'fd00::1', port: 5000 },
        { address: '192.0.2.1', port: 5000 },
      ],
      endOfCandidates: false,
    });
  });

  it('never fail without a code', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(['none', 'FRAGMENT_INVALID']).toContain(codeOf(() => parseFragment(`a=mid:0\r\na=${text}`)));
        expect(['none', 'FRAGMENT_INVALID']).toContain(codeOf(() => parseFragment(text)));
      }),
    );
  });
});
